import type { EngineType } from './engine.ts'
import { kubernetes } from './kubernetes/index.ts'
import { nomad } from './nomad/index.ts'

/** Every engine. A new engine is its folder and a line here. */
export const ENGINES: readonly EngineType[] = [kubernetes, nomad]
