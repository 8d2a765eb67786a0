import { readFileSync } from 'node:fs'

/** What can be read from a `manage.py` without running it. */
export interface ManageFacts {
  /** The settings module that it sets by default; undefined where that is computed. */
  readonly settings: string | undefined
  /** It does no more than Django's own: nothing is missed by not running it. */
  readonly stock: boolean
}

const DEFAULT = /environ(?:\.setdefault\(\s*|\[\s*)["']DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']/

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
      (code.match(/environ/g)?.length ?? 0) === 1 &&
      !/sys\.path|exec\(|open\(|\bif\b.*\bargv\b/.test(code),
  }
}
