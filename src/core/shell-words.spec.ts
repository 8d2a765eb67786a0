import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { quoteWord, splitWords } from './shell-words.ts'

const lines: readonly (readonly [line: string, words: readonly string[] | undefined])[] = [
  ['', []],
  ['  \t\n ', []],
  ['collectstatic --noinput', ['collectstatic', '--noinput']],
  ['  a   b\tc\nd  ', ['a', 'b', 'c', 'd']],
  [`'a b' "c d"`, ['a b', 'c d']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  [`a '' b`, ['a', '', 'b']],
  [String.raw`a\ b \'c\'`, ['a b', "'c'"]],
  [String.raw`"a\"b" "\$HOME" "a\\b" "a\nb"`, ['a"b', '$HOME', String.raw`a\b`, String.raw`a\nb`]],
  [String.raw`'a\b' '\'`, [String.raw`a\b`, '\\']],
  ['"a\\\nb"', ['a\nb']],
  ['--name=$HOME *.py ~ `id` $(id)', ['--name=$HOME', '*.py', '~', '`id`', '$(id)']],
  ['--name="żółw 🐢"', ['--name=żółw 🐢']],
  [`echo 'open`, undefined],
  ['echo "open', undefined],
  ['open\\', undefined],
]

for (const [line, words] of lines) {
  test(`${JSON.stringify(line)} is ${words ? JSON.stringify(words) : 'not closed'}`, () => {
    assert.deepEqual(splitWords(line), words)
  })
}

const words = [
  ...['a', '', ' ', 'a b', "it's", '"quoted"', "'", "''", '\\', '\\\\', 'a\\', 'two\nlines', '\n', '\t', ' a '],
  ...['$HOME', '$(id)', '`id`', '~', '~root', '*', '*.ts', '?', '[a-z]', '{a,b}', '!', '!!', '#', '# a', 'a#b'],
  ...['a;b', 'a&b', 'a|b', '<a', '>a', '(a)', '-', '--', '-n', '--name=a b', 'A=b', '=', '%', '%s', '%%', '%n'],
  ...['żółw', '🐢', 'a\u00a0b', '\u2028', '@', ':', '/', 'a/b:c,d.e@f+g', 'x'.repeat(10_000)],
]

test('a shell reads every quoted word back as it was', () => {
  const out = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quoteWord).join(' ')}`], { encoding: 'utf8' })
  assert.deepEqual(out.split('\0').slice(0, -1), words)
})

test('what is quoted is split into the same words again', () => {
  assert.deepEqual(splitWords(words.map(quoteWord).join(' ')), words)
})

test('a word is quoted only where it must be', () => {
  for (const word of ['a', '--bind=0.0.0.0:8000', '/usr/bin/python3.11', 'w1@host', 'a,b', 'A_B', '%h'])
    assert.equal(quoteWord(word), word)
  for (const word of ['', 'a b', '$a', 'ż', '~', '#']) assert.notEqual(quoteWord(word), word)
})
