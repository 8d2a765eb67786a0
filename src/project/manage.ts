/** Facts that the text of a `manage.py` tells. */
interface ManageFacts {
  /** The settings module that it sets by default; undefined if the name is computed. */
  readonly settings: string | undefined
  /** Whether it does no more than the file that Django writes, so that it need not run. */
  readonly stock: boolean
}

/** Matches the setting of a whole value: a value that continues after its quote is computed. */
const DEFAULT =
  /environ(?:\.setdefault\(\s*|\[\s*)["']DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']\s*(?:\)|$)/m

/** Everything that could set another variable or a path needs an import, or one of these words. */
const UNUSUAL = /sys\.path|from\s+sys\b|__import__|exec\(|open\(|\bif\b.*\bargv\b/

export function parseManage(text: string): ManageFacts {
  const code = text.replace(/^\s*#.*$/gm, '').replace(/"""[\s\S]*?"""|'''[\s\S]*?'''/g, '')
  const imports = [...code.matchAll(/^\s*(?:from\s+([\w.]+)\s+import|import\s+(.+))/gm)]
    .flatMap(([, from, names = '']) => from ?? names.split(','))
    .map((name) => name.trim().split(/\s/)[0] ?? '')
  const settings = DEFAULT.exec(code)?.[1]
  // Whole words: the message of Django's file speaks of an environment variable and a virtual environment.
  const hasOneVariable = count(code, /\benviron\b/g) === 1 && count(code, /\bos\b/g) === 2
  const areUsual = imports.every((name) => /^(os|sys|django|django\.core\.management.*)$/.test(name))
  return { settings, stock: settings !== undefined && areUsual && hasOneVariable && !UNUSUAL.test(code) }
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
