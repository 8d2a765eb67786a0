import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'
const FRONTEND = `export default {
  processes: { frontend: { backend: 'command', app: 'sleep infinity' } },
}
`
const config = (text: string): Readonly<Record<string, string>> => ({ 'prodserver.config.mjs': text })

export const CONFIG_FILE_PAGES = {
  E013: {
    why: 'One file declares the processes beside the settings. Of two, one would be read and the other forgotten.',
    bad: {
      settings: WEB,
      files: { 'prodserver.config.mjs': FRONTEND, 'prodserver.config.json': '{"processes": {}}\n' },
    },
    good: { settings: WEB, files: config(FRONTEND) },
  },
  E014: {
    why: 'Nothing starts on half of a declaration.',
    bad: { settings: WEB, files: config('export default {\n  processes: { frontend: }\n}\n') },
    good: { settings: WEB, files: config(FRONTEND) },
  },
  E015: {
    why: 'What the file imports must be installed where it is read, in production as well.',
    bad: { settings: WEB, files: config(`import { port } from "./ports.mjs"\n\n${FRONTEND}`) },
    good: { settings: WEB, files: config(FRONTEND) },
  },
  E016: {
    why: 'Nobody can be told what it says.',
    bad: {
      settings: WEB,
      files: config(`import { env, exit } from "node:process"\n\nif (!env.SHOP_KEY) exit(1)\n\n${FRONTEND}`),
    },
    good: {
      settings: WEB,
      files: config(
        `import { env } from "node:process"\n\nif (!env.SHOP_KEY) throw new Error("SHOP_KEY is not set")\n\n${FRONTEND}`,
      ),
      command: 'SHOP_KEY=hunter2 prodserver check',
    },
  },
  E017: {
    why: 'The file waits for something, and every command with it.',
    bad: {
      settings: WEB,
      files: config(`await new Promise((settle) => setTimeout(settle, 600_000))\n\n${FRONTEND}`),
      command: 'PRODSERVER_SETTINGS_TIMEOUT=3 prodserver check',
    },
    good: { settings: WEB, files: config(FRONTEND) },
  },
  E113: {
    why: 'The default export of the file is the declaration: an object with `processes`.',
    bad: { settings: WEB, files: config("export const frontend = { backend: 'command', app: 'sleep infinity' }\n") },
    good: { settings: WEB, files: config(FRONTEND) },
  },
  E114: {
    why: 'Which of the two is meant is not guessed.',
    bad: { settings: WEB, files: config(FRONTEND.replace('frontend', 'web')) },
    good: { settings: WEB, files: config(FRONTEND) },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
