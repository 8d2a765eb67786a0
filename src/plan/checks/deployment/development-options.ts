import { findBackend } from '../../../backends/index.ts'
import type { Declaration } from '../../../config/declarations.ts'
import type { Problem } from '../../../core/errors.ts'
import type { Json } from '../../../core/types.ts'
import { isDictionary } from '../../../core/values.ts'
import type { Check } from '../check.ts'

/** No option, and no server, is for development. */
export const developmentOptions: Check<'deploy'> = {
  when: 'deploy',
  find: ({ processes }) =>
    processes
      .map(({ declaration }) => declaration)
      .filter(({ enabled }) => enabled !== false)
      .flatMap((declaration) => [
        ...reloading(declaration),
        ...talkative(declaration),
        ...developmentServer(declaration),
      ]),
}

const RELOADING = new Set(['reload', 'spew', 'use-reloader', 'debug', 'autoreload'])

const optionsOf = ({ args }: Declaration): readonly (readonly [string, Json])[] =>
  isDictionary(args) ? Object.entries(args as Record<string, Json>) : []

const reloading = (declaration: Declaration): readonly Problem[] =>
  optionsOf(declaration)
    .filter(([key, value]) => RELOADING.has(key.replaceAll('_', '-')) && value !== false && value !== null)
    .map(([key]): Problem => {
      const message = `${JSON.stringify(key)} is for development: it watches files, and ends what is running when one changes.`
      const hint = 'Leave it out; new code comes in with: prodserver reload'
      return { id: 'W705', place: declaration.placeOf('args', key), process: declaration.name, message, hint }
    })

const talkative = (declaration: Declaration): readonly Problem[] =>
  optionsOf(declaration)
    .filter(
      ([key, value]) => /^log[-_]?level$/.test(key) && typeof value === 'string' && /^(debug|trace)$/i.test(value),
    )
    .map(([key, value]): Problem => {
      const place = declaration.placeOf('args', key)
      const message = `The level ${JSON.stringify(value)} is for development: it fills the disk, and writes down what people send.`
      return { id: 'W705', place, process: declaration.name, message, hint: 'Set it to "info"' }
    })

/** Finds Django's own server, as a management command or in a command line. */
function developmentServer({ backend, app, placeOf, name: process }: Declaration): readonly Problem[] {
  const command = ['django-command', 'command'].includes(findBackend(backend)?.name ?? '') ? app : undefined
  const server = /(?:^|\s)(runserver(?:_plus)?)(?:\s|$)/.exec(command ?? '')?.[1]
  if (server === undefined) return []
  const message = `${server} is for development: it is neither fast nor secure, and ends what is running when a file changes.`
  return [{ id: 'W705', place: placeOf('app'), process, message, hint: 'Declare a server: {"BACKEND": "gunicorn"}' }]
}
