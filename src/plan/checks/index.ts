import type { Problem } from '../../core/errors.ts'
import type { Facts } from '../facts.ts'
import { addresses } from './addresses.ts'
import { backendPackage } from './backend-package.ts'
import type { AnyCheck, Check } from './check.ts'
import { dependencies } from './dependencies.ts'
import { allowedHosts } from './deployment/allowed-hosts.ts'
import { celeryBeat } from './deployment/celery-beat.ts'
import { celeryBroker } from './deployment/celery-broker.ts'
import { celeryQueues } from './deployment/celery-queues.ts'
import { debug } from './deployment/debug.ts'
import { developmentOptions } from './deployment/development-options.ts'
import { djangoChecks } from './deployment/django-checks.ts'
import { inspectedProject } from './deployment/inspected-project.ts'
import { libraryBroker } from './deployment/library-broker.ts'
import { libraryQueues } from './deployment/library-queues.ts'
import { migrations } from './deployment/migrations.ts'
import { periodicTasks } from './deployment/periodic-tasks.ts'
import { reachableDatabases } from './deployment/reachable-databases.ts'
import { sharedSqlite } from './deployment/shared-sqlite.ts'
import { staticFiles } from './deployment/static-files.ts'
import { writtenSecrets } from './deployment/written-secrets.ts'
import { djangoInstalled } from './django-installed.ts'
import { djangoProject } from './django-project.ts'
import { djangoSetup } from './django-setup.ts'
import { importableApplication } from './importable-application.ts'
import { limits } from './limits.ts'
import { fullDisks } from './machine/full-disks.ts'
import { logSpace } from './machine/log-space.ts'
import { enoughMemory } from './machine/memory.ts'
import { memoryLimit } from './machine/memory-limit.ts'
import { enoughOpenFiles } from './machine/open-files.ts'
import { privilegedPorts } from './machine/privileged-ports.ts'
import { enoughProcessors } from './machine/processors.ts'
import { takenAddresses } from './machine/taken-addresses.ts'
import { optionFiles } from './option-files.ts'
import { packageVersion } from './package-version.ts'
import { repeatedOptions } from './repeated-options.ts'
import { schedules } from './schedules.ts'
import { sharedFiles } from './shared-files.ts'
import { singleScheduler } from './single-scheduler.ts'
import { stopTimeout } from './stop-timeout.ts'
import { takenOptions } from './taken-options.ts'
import { variableNames } from './variable-names.ts'

/** Every check, in the order in which problems of one process are listed. */
export const CHECKS: readonly AnyCheck[] = [
  djangoInstalled,
  djangoSetup,
  djangoProject,
  backendPackage,
  packageVersion,
  importableApplication,
  singleScheduler,
  repeatedOptions,
  limits,
  takenOptions,
  optionFiles,
  variableNames,
  stopTimeout,
  dependencies,
  addresses,
  sharedFiles,
  schedules,

  inspectedProject,
  debug,
  allowedHosts,
  reachableDatabases,
  migrations,
  sharedSqlite,
  staticFiles,
  djangoChecks,
  celeryBroker,
  celeryBeat,
  celeryQueues,
  libraryBroker,
  periodicTasks,
  libraryQueues,
  developmentOptions,
  writtenSecrets,
]

/** Checks of this machine. Their problems are listed after all others, in this order. */
export const MACHINE_CHECKS: readonly Check<'here'>[] = [
  privilegedPorts,
  takenAddresses,
  enoughProcessors,
  enoughMemory,
  memoryLimit,
  enoughOpenFiles,
  fullDisks,
  logSpace,
]

/** Runs checks, and returns their problems in the order of the checks. */
export async function runChecks(
  checks: readonly AnyCheck[],
  facts: Facts,
  thorough: boolean,
): Promise<readonly Problem[]> {
  const found = await Promise.all(checks.map((check) => runCheck(check, facts, thorough)))
  return found.flat()
}

async function runCheck(check: AnyCheck, facts: Facts, thorough: boolean): Promise<readonly Problem[]> {
  const deployment = facts.python?.deploy
  switch (check.when) {
    case 'always':
      return check.find(facts)
    case 'thorough':
      return thorough ? check.find(facts) : []
    case 'here':
      return facts.machine ? check.find({ ...facts, machine: facts.machine }) : []
    case 'deploy':
      return deployment && !('error' in deployment) ? check.find({ ...facts, deployment }) : []
  }
}
