export interface CompletionFacts {
  readonly run: 'always' | 'once' | 'release'
  readonly schedule: unknown
}

/** Tells whether a process ends when its work is done, as jobs and scheduled processes do. Others are services. */
export const runsToCompletion = ({ run, schedule }: CompletionFacts): boolean => run !== 'always' || schedule !== null
