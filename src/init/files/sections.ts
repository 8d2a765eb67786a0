import { addTo } from '../../core/lists.ts'

/** A section of a file of Supervisor or systemd: packages for such files take the quotes out of command lines. */
interface Section {
  readonly name: string
  /** Of its heading, from 1. */
  readonly line: number
  /** Every value of a key, in order: units may have a key several times. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** What continues a line: systemd's backslash at its end, or Supervisor's space at the beginning of the next. */
type Continuation = 'backslash' | 'indent'

export function readSections(text: string, continuation: Continuation): readonly Section[] {
  const sections: { name: string; line: number; values: Map<string, string[]> }[] = []
  for (const { line, content } of joinLines(text, continuation)) {
    const heading = /^\[(.+)\]$/.exec(content)?.[1]
    if (heading !== undefined) sections.push({ name: heading, line, values: new Map() })
    const [, key, value] = /^([\w-]+)\s*=\s*([\s\S]*)$/.exec(content) ?? []
    const values = sections.at(-1)?.values
    if (key !== undefined && value !== undefined && values) addTo(values, key, value.trim())
  }
  return sections
}

function joinLines(text: string, continuation: Continuation): readonly { line: number; content: string }[] {
  const joined: { line: number; content: string }[] = []
  let isOpen = false
  for (const [index, written] of text.split('\n').entries()) {
    const isComment = /^\s*[#;]/.test(written)
    const last = joined.at(-1)
    const continues = continuation === 'backslash' ? isOpen : /^[ \t]+\S/.test(written) && last !== undefined
    if (isComment && !continues) continue
    const content = continuation === 'backslash' ? written.replace(/\\$/, ' ') : written.replace(/\s;.*$/, '')
    isOpen = written.endsWith('\\')
    if (continues && last) last.content += ` ${content.trim()}`
    else joined.push({ line: index + 1, content: content.trim() })
  }
  return joined
}
