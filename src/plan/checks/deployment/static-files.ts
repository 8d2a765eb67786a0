import { type Check, runsCommand, servesRequests } from '../check.ts'

/** Static files are collected, or a declared process collects them. */
export const staticFiles: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) => {
    const { static: files } = facts.deployment
    if (!files?.isEmpty || !servesRequests(facts) || runsCommand(facts, 'collectstatic')) return []
    if (files.root === null) {
      const message = 'STATIC_ROOT is not set: there is no place for static files to be collected in.'
      return [{ id: 'W703', place: 'STATIC_ROOT', message, hint: 'Set STATIC_ROOT = BASE_DIR / "static"' }]
    }
    const message = `No static files are collected: ${files.root} is empty, or not there.`
    return [{ id: 'W703', place: 'STATIC_ROOT', message, hint: 'python manage.py collectstatic --noinput' }]
  },
}
