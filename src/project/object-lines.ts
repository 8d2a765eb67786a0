/** Lines in which the keys of objects stand in a text of JavaScript, TypeScript or JSON. */
interface ObjectLines {
  /** Lines from 1, by the keys from the outermost object on; of two equal paths the later one counts. */
  readonly lines: readonly (readonly [path: readonly string[], line: number])[]
  /** Paths whose value is a plain string. */
  readonly literals: readonly (readonly string[])[]
}

const TOKENS =
  /\/\/[^\n]*|\/\*[^]*?\*\/|(?<string>"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`)|(?<word>[\p{L}\p{N}_$]+)|\S/gu

interface Token {
  readonly text: string
  readonly line: number
  readonly isString: boolean
  readonly isWord: boolean
}

interface Frame {
  readonly isObject: boolean
  readonly path: readonly string[]
}

/** Reads the text without running it; an object that a loop or a function makes has the name that it is assigned to. */
export function findObjectLines(text: string): ObjectLines {
  const tokens = tokenize(text)
  const lines: [readonly string[], number][] = []
  const literals: (readonly string[])[] = []
  const frames: Frame[] = []
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1]
    const frame = frames.at(-1)
    if ('})]'.includes(token.text)) frames.pop()
    else if (token.text === '{') frames.push({ isObject: true, path: pathOf(tokens, index, frame) })
    else if ('(['.includes(token.text)) frames.push({ isObject: false, path: [] })
    else if (frame?.isObject && isKey(tokens, index) && (before?.text === '{' || before?.text === ',')) {
      const path = [...frame.path, nameOf(token)]
      lines.push([path, token.line])
      const [value, after] = [tokens[index + 2], tokens[index + 3]]
      if (value?.isString && (after?.text === ',' || after?.text === '}')) literals.push(path)
    }
  }
  return { lines, literals }
}

function tokenize(text: string): readonly Token[] {
  let line = 1
  let counted = 0
  return [...text.matchAll(TOKENS)].flatMap((match): readonly Token[] => {
    line += text.slice(counted, match.index).split('\n').length - 1
    counted = match.index
    const [whole] = match
    if (/^\/[/*]/.test(whole)) return []
    const { string, word } = match.groups ?? {}
    return [{ text: whole, line, isString: string !== undefined, isWord: word !== undefined }]
  })
}

const isKey = (tokens: readonly Token[], index: number): boolean =>
  (tokens[index]?.isString || tokens[index]?.isWord) === true && tokens[index + 1]?.text === ':'

/** The path of an object that begins here: of a key around it, or of a variable; empty if it has no name. */
function pathOf(tokens: readonly Token[], index: number, frame: Frame | undefined): readonly string[] {
  const sign = tokens[index - 1]?.text
  const name = tokens[index - 2]
  if (sign === ':' && frame?.isObject && name) return [...frame.path, nameOf(name)]
  return sign === '=' && name?.isWord ? [name.text] : []
}

/** The text of a string without its quotes. Escapes stay: no key of a declaration has one. */
const nameOf = ({ text, isString }: Token): string => (isString ? text.slice(1, -1) : text)
