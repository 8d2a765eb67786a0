import { readFileSync } from 'node:fs'

/** What can be read from a `manage.py` without running it. */
interface ManageFacts {
  /** The settings module that it sets by default; undefined where that is computed. */
  readonly settings: string | undefined
  /** It does no more than Django's own: nothing is missed by not running it. */
  readonly stock: boolean
}

/** A whole value: one that goes on after its quote is computed. */
const DEFAULT =
  /environ(?:\.setdefault\(\s*|\[\s*)["']DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']\s*(?:\)|$)/m

/** Reads the facts from a file's text. */
export function readManage(path: string): ManageFacts {
  return parseManage(readFileSync(path, 'utf8'))
}

export function parseManage(text: string): ManageFacts {
  const code = text.replace(/^\s*#.*$/gm, '').replace(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, '')
  const imports = [...code.matchAll(/^\s*(?:from\s+([\w.]+)\s+import|import\s+(.+))/gm)]
    .flatMap(([, from, names]) => from ?? (names ?? '').split(','))
    .map((name) => name.trim().split(/\s/)[0] ?? '')
  const settings = DEFAULT.exec(code)?.[1]
  return {
    settings,
    // Everything that could set a variable or a path needs one of these; where one is seen the file is run instead.
    stock:
      settings !== undefined &&
      imports.every(
        (name) => name === 'os' || name === 'sys' || name === 'django' || name.startsWith('django.core.management'),
      ) &&
      // Words of their own: the stock file's message speaks of an environment variable and a virtual environment.
      count(code, /\benviron\b/g) === 1 &&
      count(code, /\bos\b/g) === 2 &&
      !/sys\.path|from\s+sys\b|__import__|exec\(|open\(|\bif\b.*\bargv\b/.test(code),
  }
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
