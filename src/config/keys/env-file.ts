import { declareKey, texts } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    envFile: true
  }
}

export const declared = () =>
  declareKey({
    order: 50,
    schema: texts,
    description:
      'dotenv files, relative to the project. The first that has a key wins, the real environment wins over all.',
    example: '.env',
  })
