import { guard } from '../../../core/secret.ts'
import { type Check, runsCommand } from '../check.ts'

/** Databases can be reached. */
export const reachableDatabases: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    facts.deployment.databases.flatMap(({ alias, vendor, error }) => {
      // The first migration makes the file of SQLite.
      if (error === null || (vendor === 'sqlite' && runsCommand(facts, 'migrate'))) return []
      const place = `DATABASES[${JSON.stringify(alias)}]`
      const message = `The database cannot be reached: ${String(guard('', error))}`
      return [{ id: 'E703', place, message, hint: 'See it alone: python manage.py migrate --check' }]
    }),
}
