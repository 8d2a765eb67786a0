import { declareKey, nonEmptyText } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    app: true
  }
}

export const declared = () =>
  declareKey({
    order: 20,
    schema: nonEmptyText,
    description:
      'What to run, for backends that need telling: the Celery app, a Node script, a management command, a program.',
    example: 'mysite.celery.app',
  })
