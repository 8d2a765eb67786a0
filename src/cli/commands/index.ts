import { type Command, withCode } from '../command.ts'
import { FLAGS as backends } from './backends/flags.ts'
import { FLAGS as check } from './check/flags.ts'
import { FLAGS as completion } from './completion/flags.ts'
import { FLAGS as deploy } from './deploy/flags.ts'
import { FLAGS as dev } from './dev/flags.ts'
import { FLAGS as diff } from './diff/flags.ts'
import { FLAGS as down } from './down/flags.ts'
import { FLAGS as events } from './events/flags.ts'
import { FLAGS as explain } from './explain/flags.ts'
import { FLAGS as exportFlags } from './export/flags.ts'
import { FLAGS as init } from './init/flags.ts'
import { FLAGS as list } from './list/flags.ts'
import { FLAGS as logs } from './logs/flags.ts'
import { FLAGS as ps } from './ps/flags.ts'
import { FLAGS as reload } from './reload/flags.ts'
import { FLAGS as restart } from './restart/flags.ts'
import { FLAGS as run } from './run/flags.ts'
import { FLAGS as scale } from './scale/flags.ts'
import { FLAGS as show } from './show/flags.ts'
import { FLAGS as start } from './start/flags.ts'
import { FLAGS as stop } from './stop/flags.ts'
import { FLAGS as top } from './top/flags.ts'
import { FLAGS as up } from './up/flags.ts'
import { FLAGS as why } from './why/flags.ts'

/** All commands, in the order of help. The build puts their code into separate files. */
export const COMMANDS: readonly Command[] = [
  withCode(init, () => import('./init/execute.ts')),
  withCode(run, () => import('./run/execute.ts')),
  withCode(list, () => import('./list/execute.ts')),
  withCode(backends, () => import('./backends/execute.ts')),
  withCode(show, () => import('./show/execute.ts')),
  withCode(check, () => import('./check/execute.ts')),
  withCode(diff, () => import('./diff/execute.ts')),
  withCode(dev, () => import('./dev/execute.ts')),
  withCode(up, () => import('./up/execute.ts')),
  withCode(reload, () => import('./reload/execute.ts')),
  withCode(start, () => import('./start/execute.ts')),
  withCode(stop, () => import('./stop/execute.ts')),
  withCode(restart, () => import('./restart/execute.ts')),
  withCode(scale, () => import('./scale/execute.ts')),
  withCode(down, () => import('./down/execute.ts')),
  withCode(ps, () => import('./ps/execute.ts')),
  withCode(logs, () => import('./logs/execute.ts')),
  withCode(events, () => import('./events/execute.ts')),
  withCode(why, () => import('./why/execute.ts')),
  withCode(top, () => import('./top/execute.ts')),
  withCode(exportFlags, () => import('./export/execute.ts')),
  withCode(explain, () => import('./explain/execute.ts')),
  withCode(deploy, () => import('./deploy/execute.ts')),
  withCode(completion, () => import('./completion/execute.ts')),
]
