import type { Contestant } from '../contestant.ts'
import { circus } from './circus.ts'
import { concurrently } from './concurrently.ts'
import { foreman } from './foreman.ts'
import { honcho } from './honcho.ts'
import { pm2 } from './pm2.ts'
import { runit } from './runit.ts'
import { s6 } from './s6.ts'
import { supervisor } from './supervisor.ts'

/** In the order of the tables. */
export const ALTERNATIVES: readonly Contestant[] = [supervisor, circus, honcho, foreman, pm2, concurrently, runit, s6]
