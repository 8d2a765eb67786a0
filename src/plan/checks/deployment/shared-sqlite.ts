import type { Facts } from '../../facts.ts'
import { type Check, enabledProcesses } from '../check.ts'

/** Only one process uses a database of SQLite. */
export const sharedSqlite: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) => {
    const copies = countCopies(facts)
    if (copies <= 1) return []
    return facts.deployment.databases
      .filter(({ vendor }) => vendor === 'sqlite')
      .map(({ alias }) => {
        const place = `DATABASES[${JSON.stringify(alias)}]`
        const message = `${copies} processes share a file of SQLite: one that writes keeps the others waiting, until "database is locked".`
        const hint = 'Use PostgreSQL, or set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}'
        return { id: 'W702', place, message, hint }
      })
  },
}

/** Counts the processes of the system that stay, with the workers that a server starts itself. */
function countCopies(facts: Facts): number {
  const workers = new Map(
    facts.processes.map(({ declaration, command }) => [declaration.name, command?.workers.processes]),
  )
  return enabledProcesses(facts)
    .filter(({ kind }) => kind !== 'task')
    .reduce((sum, { name, instances }) => sum + instances * (workers.get(name) ?? 1), 0)
}
