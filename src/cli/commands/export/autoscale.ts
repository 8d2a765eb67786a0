import { UsageError } from '../../../core/errors.ts'
import type { Autoscale } from '../../../export/index.ts'

const FORM = /^(.+)=(\d+)-(\d+)(?:@(rabbitmq|redis):([A-Za-z_]\w*)(?::(.+))?)?$/

/**
 * `web=2-10`, or `worker=0-20@rabbitmq:CELERY_BROKER_URL` by the length of its queues.
 *
 * @throws {UsageError} for anything else, and for a process that is not there
 */
export function parseAutoscale(text: string, names: readonly string[]): Autoscale {
  const [, process, min, max, broker, variable = '', queues] = FORM.exec(text) ?? []
  if (process === undefined) throw wrong(`--autoscale takes NAME=MIN-MAX, not ${JSON.stringify(text)}.`)
  if (!names.includes(process)) throw wrong(`--autoscale names ${JSON.stringify(process)}, which is not exported.`)
  const [least, most] = [Number(min), Number(max)]
  if (most < 1 || least > most)
    throw wrong(`--autoscale goes from the smaller to the larger number, not ${min}-${max}.`)
  if (least === 0 && broker === undefined)
    throw wrong('--autoscale goes down to 0 only by the length of a queue: nothing uses a processor that is not there.')
  const queue =
    broker === undefined
      ? undefined
      : { broker: broker as 'rabbitmq' | 'redis', variable, names: queues?.split(',') ?? [] }
  return { process, min: least, max: most, queue }
}

const wrong = (message: string): UsageError =>
  new UsageError(message, '--autoscale web=2-10, or --autoscale worker=0-20@rabbitmq:CELERY_BROKER_URL')
