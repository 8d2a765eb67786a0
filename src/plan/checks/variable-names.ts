import { type Check, eachResolved } from './check.ts'

/** Names and values of `ENV` can be environment variables. */
export const variableNames: Check = {
  when: 'always',
  find: eachResolved(({ declaration: { env = {}, placeOf } }) =>
    Object.entries(env)
      .filter(([name, value]) => name === '' || /[=\0]/.test(name) || String(value).includes('\0'))
      .map(([name]) => {
        const message =
          'This cannot be an environment variable: a name must not be empty or have "=", and neither may have a NUL byte.'
        return { id: 'E107', place: placeOf('env', name), message }
      }),
  ),
}
