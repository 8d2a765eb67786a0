import { UsageError } from '../../../core/errors.ts'
import type { Autoscale } from '../../../export/index.ts'
import type { ParseValue } from '../../option-spec.ts'

const FORM = /^(.+)=(\d+)-(\d+)(?:@(rabbitmq|redis):([A-Za-z_]\w*)(?::(.+))?)?$/

/** Parses `web=2-10`, or `worker=0-20@rabbitmq:CELERY_BROKER_URL` to scale by the length of its queues. */
export const autoscaling: ParseValue<Autoscale> = (text) => {
  const [, process, min, max, broker, variable = '', queues] = FORM.exec(text) ?? []
  if (process === undefined) throw wrong(`--autoscale takes NAME=MIN-MAX, not ${JSON.stringify(text)}.`)
  const [least, most] = [Number(min), Number(max)]
  if (most < 1 || least > most)
    throw wrong(`--autoscale goes from the smaller to the larger number, not ${min}-${max}.`)
  if (least === 0 && broker === undefined)
    throw wrong('--autoscale goes down to 0 only by the length of a queue: nothing uses a processor that is not there.')
  if (broker === undefined) return { process, min: least, max: most, queue: undefined }
  const queue = { broker: broker as 'rabbitmq' | 'redis', variable, names: queues?.split(',') ?? [] }
  return { process, min: least, max: most, queue }
}

/** @throws {UsageError} for a process that is not exported. */
export function requireExported(autoscale: readonly Autoscale[], names: readonly string[]): void {
  const unknown = autoscale.find(({ process }) => !names.includes(process))
  if (unknown) throw wrong(`--autoscale names ${JSON.stringify(unknown.process)}, which is not exported.`)
}

const wrong = (message: string): UsageError =>
  new UsageError(message, '--autoscale web=2-10, or --autoscale worker=0-20@rabbitmq:CELERY_BROKER_URL')
