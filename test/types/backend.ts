/** Checked by the compiler: what a backend of one's own may and may not be. */
import type { Backend } from '../../src/index.ts'

const common = { name: 'x', title: 'X', summary: 'An example.' } as const
const command: Backend['command'] = ({ options, extra }) => ({
  program: 'x',
  args: [...options.flatMap(({ tokens }) => tokens), ...extra],
})

export const smallest: Backend = { ...common, kind: 'worker', command }

// @ts-expect-error a kind is one of four
export const unknownKind: Backend = { ...common, kind: 'server', command }

// @ts-expect-error a backend says what to run
export const noCommand: Backend = { ...common, kind: 'web' }

// @ts-expect-error options are named by what they do
export const misspelt: Backend = { ...common, kind: 'web', command, options: { flags: ['x'] } }

// @ts-expect-error durations are milliseconds
export const noUnit: Backend = { ...common, kind: 'web', command, stop: { timeout: '30s' } }

// @ts-expect-error a contract is one that this prodserver knows
export const ofTheFuture: Backend = { ...common, kind: 'web', command, contract: 2 }
