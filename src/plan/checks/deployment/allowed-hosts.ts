import { type Check, servesRequests } from '../check.ts'

/** A project that serves requests allows a host. With `DEBUG` on, Django itself allows localhost. */
export const allowedHosts: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) => {
    const { debug, allowedHosts } = facts.deployment
    if (!servesRequests(facts) || debug || allowedHosts.length > 0) return []
    const message = 'ALLOWED_HOSTS is empty: every request is answered with 400.'
    return [{ id: 'E702', place: 'ALLOWED_HOSTS', message, hint: 'Set ALLOWED_HOSTS = ["example.com"]' }]
  },
}
