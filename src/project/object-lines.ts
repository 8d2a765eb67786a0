/** Where in a text of JavaScript, TypeScript or JSON the keys of its objects stand. */
interface ObjectLines {
  /** Pairs of the keys from the outermost object and the line, from 1; what comes later has won. */
  readonly lines: readonly (readonly [path: readonly string[], line: number])[]
  /** The paths whose value is a string that stands there as it is. */
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

/** Reads the text without running it: what a loop or a function makes is known by where it was assigned. */
export function findObjectLines(text: string): ObjectLines {
  const tokens = tokenize(text)
  const lines: [readonly string[], number][] = []
  const literals: (readonly string[])[] = []
  const frames: Frame[] = []
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1]
    const frame = frames.at(-1)
    if ('})]'.includes(token.text)) frames.pop()
    else if ('([{'.includes(token.text))
      frames.push({ isObject: token.text === '{', path: token.text === '{' ? pathOf(tokens, index, frame) : [] })
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
    line += countLines(text.slice(counted, match.index))
    counted = match.index
    const [whole] = match
    if (/^\/[/*]/.test(whole)) return []
    const { string, word } = match.groups ?? {}
    return [{ text: whole, line, isString: string !== undefined, isWord: word !== undefined }]
  })
}

const countLines = (text: string): number => text.split('\n').length - 1

const isKey = (tokens: readonly Token[], index: number): boolean =>
  (tokens[index]?.isString || tokens[index]?.isWord) === true && tokens[index + 1]?.text === ':'

/** What an object that begins here is the value of: a key around it, a variable, or nothing that has a name. */
function pathOf(tokens: readonly Token[], index: number, frame: Frame | undefined): readonly string[] {
  const sign = tokens[index - 1]?.text
  const name = tokens[index - 2]
  if (sign === ':' && frame?.isObject && name) return [...frame.path, nameOf(name)]
  return sign === '=' && name?.isWord ? [name.text] : []
}

/** A string as it is meant; escapes are left, which no key of ours has. */
const nameOf = ({ text, isString }: Token): string => (isString ? text.slice(1, -1) : text)
