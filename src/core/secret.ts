const HIDDEN = '••••'

/**
 * A value that may be a secret. It prints as `••••` wherever it is shown: in text, in JSON, in an inspector.
 * Only {@link Secret.reveal} gives the value, and only what starts a process calls it.
 */
export class Secret {
  readonly #value: string
  readonly #shown: string

  /** `shown` is the value with its secret part replaced, where the rest of it helps a reader. */
  constructor(value: string, shown: string = HIDDEN) {
    this.#value = value
    this.#shown = shown
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return this.#shown
  }

  toJSON(): string {
    return this.#shown
  }

  // What node:util calls inspect.custom; importing that module opens our standard error, for what we become as well.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.#shown
  }
}

/** Text that may hold a secret. `String(value)` is what people may see. */
export type Value = string | Secret

export const reveal = (value: Value): string => (typeof value === 'string' ? value : value.reveal())

const SECRET_NAME =
  /(^|[_-])(secret|pass|pwd|password|passwd|passphrase|token|credentials?|private[_-]?key|api[_-]?key|access[_-]?key|auth|basic[_-]auth|dsn)([_-]|$)|secret|password|apikey/i
/** Variables of the shell, not passwords. */
const WORKING_DIRECTORY = /^(OLD)?PWD$/i
// The length of a scheme is bounded, or a long word without one would be searched from each of its letters to its end.
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:@/]*):[^\s/]+@/gi

/** Whether what has that name may be a secret. */
export const isSecretName = (name: string): boolean =>
  // `--password-file` and `DB_PASSWORD_FILE` say where the secret is, not what it is.
  SECRET_NAME.test(name) && !/(file|path|dir|name)$/i.test(name) && !WORKING_DIRECTORY.test(name)

/** The value under that name, as a {@link Secret} if its name says so or it has a URL with a password. */
export const guard = (name: string, value: string): Value =>
  value !== '' && isSecretName(name) ? new Secret(value) : guardUrls(value)

/** The text with the passwords of its URLs hidden; plain when it has none. */
export function guardUrls(text: string): Value {
  const shown = text.replace(URL_PASSWORD, `$1:${HIDDEN}@`)
  return shown === text ? text : new Secret(text, shown)
}

/** One token of a command line: `--password=x` shows as `--password=••••`. */
export function guardToken(token: string): Value {
  const at = token.indexOf('=')
  if (!token.startsWith('-') || at < 0) return guardUrls(token)
  const head = token.slice(0, at + 1)
  const value = guard(head.replace(/^-+|=$/g, ''), token.slice(at + 1))
  return typeof value === 'string' ? token : new Secret(token, head + String(value))
}
