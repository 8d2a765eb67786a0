/** Explains why a text is not JSON, and finds the line. Node tells the position of some mistakes only. */
export function jsonProblem(text: string, error: SyntaxError): { readonly message: string; readonly line: number } {
  const message = error.message
    .replace(/(?: in JSON)? at position.*$|, \.*"[^]*$/, '')
    .replace('end of JSON input', 'end')
  const line = text.slice(0, badOffset(text)).split('\n').length
  return { message: message.charAt(0).toLowerCase() + message.slice(1), line }
}

const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy
const ATOM = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y
const SPACE = /[ \t\r\n]*/y

/** Finds the first character that JSON does not allow. */
function badOffset(text: string): number {
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const isThere = pattern.test(text)
    if (isThere) at = pattern.lastIndex
    return isThere
  }
  const takeSign = (sign: string): boolean => {
    take(SPACE)
    if (text[at] !== sign) return false
    at++
    return true
  }
  const member = (): boolean => {
    take(SPACE)
    return take(STRING) && takeSign(':') && value()
  }
  const list = (close: string, item: () => boolean): boolean => {
    if (takeSign(close)) return true
    do if (!item()) return false
    while (takeSign(','))
    return takeSign(close)
  }
  const value = (): boolean => {
    take(SPACE)
    if (takeSign('{')) return list('}', member)
    if (takeSign('[')) return list(']', value)
    return take(STRING) || take(ATOM)
  }
  if (value()) take(SPACE)
  return Math.min(at, text.trimEnd().length)
}
