import { quoteWord } from '../../core/shell-words.ts'
import type { ExportInput } from '../input.ts'
import type { Target } from '../target.ts'
import { check } from './check.ts'
import { toHcl } from './hcl.ts'
import { type Job, jobsOf } from './job.ts'
import { SUPPORT } from './support.ts'

/** A job file for all services, and one for each process that runs to completion. */
export const nomad: Target = {
  name: 'nomad',
  title: 'Nomad',
  runsIn: 'image',
  envFromExample: 'nomad/jobs/shop',
  options: ['user', 'image', 'env-from'],
  support: SUPPORT,
  check,
  render: (input) => jobsOf(input).map((job) => ({ path: fileOf(job), text: toHcl(job.body) })),
  next,
}

const fileOf = ({ name }: Job): string => `${name}.nomad.hcl`

/** Runs the batch jobs without a schedule first, and shows how each ended, before the other jobs follow. */
function next(folder: string, input: ExportInput): readonly string[] {
  const jobs = jobsOf(input)
  const first = jobs.filter(({ process }) => process?.schedule === null)
  const run = (job: Job): string => `nomad job run ${quoteWord(`${folder}/${fileOf(job)}`)}`
  return [
    ...first.flatMap((job) => [run(job), `nomad job status ${job.name}`]),
    ...jobs.filter((job) => !first.includes(job)).map(run),
  ]
}
