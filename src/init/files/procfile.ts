import type { Found } from '../found.ts'

/** `web: gunicorn mysite.wsgi`, a line for each process; `release` runs before the others, once. */
export const readProcfile = (text: string, file: string): readonly Found[] =>
  text.split('\n').flatMap((line, index) => {
    const [, name, command] = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(line.trim()) ?? []
    if (name === undefined || command === undefined) return []
    const from = `${file}:${index + 1}`
    return [{ name, from, command, keys: name === 'release' ? { RUN: 'release' } : {} }]
  })
