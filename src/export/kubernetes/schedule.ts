const NAME = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)'
const FIELD = new RegExp(String.raw`^(?:[*?]|\d+|${NAME})(?:-(?:\d+|${NAME}))?(?:/\d+)?$`, 'i')

/** Returns why Kubernetes cannot read a schedule; undefined if it can. */
export function scheduleProblem(cron: string): string | undefined {
  if (cron.startsWith('@')) return undefined
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5) return 'A schedule of Kubernetes has five fields, and no seconds.'
  const odd = fields.find((field) => !field.split(',').every((part) => FIELD.test(part)))
  if (odd !== undefined) return `Kubernetes cannot read ${JSON.stringify(odd)} in a schedule.`
  return /(^|[,-])7([,-]|$)/.test(fields[4] ?? '') ? 'Sunday is 0 for Kubernetes, and there is no 7.' : undefined
}
