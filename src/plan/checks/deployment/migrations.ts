import { type Check, runsCommand } from '../check.ts'

/** Migrations are applied, or a declared process applies them. */
export const migrations: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    facts.deployment.databases.flatMap(({ alias, error, unapplied }) => {
      if (error !== null || unapplied.length === 0 || runsCommand(facts, 'migrate')) return []
      const some = unapplied.slice(0, 3).join(', ')
      const message = `${unapplied.length} migrations are not applied: ${some}${unapplied.length > 3 ? ', …' : ''}.`
      const hint =
        'python manage.py migrate; or declare it: {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"}'
      return [{ id: 'E705', place: `DATABASES[${JSON.stringify(alias)}]`, message, hint }]
    }),
}
