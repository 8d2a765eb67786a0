import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../core/errors.ts'
import { plural } from '../../core/plural.ts'
import { countProblems, createPaint, type Paint, renderProblems, renderTable } from './print.ts'

const plain: Paint = (_, text) => text
const marked: Paint = (style, text) => `<${style}>${text}</${style}>`

const HEADER = ['NAME', 'KIND', 'RUNS']
const ROWS = [
  ['web', 'web', 'mysite.wsgi:application'],
  ['priority-worker', 'worker', '-'],
]

const tables: readonly (readonly [columns: number | undefined, table: string])[] = [
  [
    undefined,
    `NAME             KIND    RUNS
web              web     mysite.wsgi:application
priority-worker  worker  -
`,
  ],
  [
    48,
    `NAME             KIND    RUNS
web              web     mysite.wsgi:application
priority-worker  worker  -
`,
  ],
  [
    47,
    `NAME             KIND
web              web
priority-worker  worker
`,
  ],
  [
    22,
    `NAME
web
priority-worker
`,
  ],
  [
    1,
    `NAME
web
priority-worker
`,
  ],
]

for (const [columns, table] of tables) {
  test(`a table ${columns === undefined ? 'of any width' : `in ${columns} columns`} has whole columns in whole lines`, () => {
    assert.equal(renderTable(HEADER, ROWS, plain, columns), table)
    for (const line of table.split('\n')) assert.equal(line, line.trimEnd())
  })
}

test('a table with nothing in it is its header', () => {
  assert.equal(renderTable(HEADER, [], plain), 'NAME  KIND  RUNS\n')
})

test('a row may be short, and colours take no room', () => {
  const rows = [['\x1b[31ma\x1b[39m', 'b'], ['longer']]
  assert.equal(renderTable(['A', 'B'], rows, plain), `A       B\n\x1b[31ma\x1b[39m       b\nlonger\n`)
})

test('only the header of a table is painted', () => {
  assert.equal(renderTable(['A'], [['b']], marked), '<bold>A</bold>\nb\n')
})

const error: Problem = { id: 'E101', place: 'mysite.settings', message: 'It is not found.', hint: 'Add it' }
const warning: Problem = {
  id: 'W301',
  place: 'ARGS["x"]',
  message: 'One line,\nand another.',
  details: '  File "a"\n    b',
}

test('a problem is shown with its place, what is wrong, the evidence, and the next thing to do', () => {
  assert.equal(
    renderProblems([error, warning], plain),
    `E101  mysite.settings
      It is not found.
      → Add it

W301  ARGS["x"]
      One line,
      and another.
        File "a"
          b
`,
  )
  assert.equal(renderProblems([], plain), '')
})

test('errors and warnings are told apart by colour', () => {
  assert.match(renderProblems([error], marked), /^<bold><red>E101<\/red><\/bold> {2}<bold>mysite\.settings<\/bold>\n/)
  assert.match(renderProblems([warning], marked), /^<bold><yellow>W301<\/yellow><\/bold>/)
})

const counts: readonly (readonly [problems: readonly Problem[], text: string])[] = [
  [[], ''],
  [[error], '1 error'],
  [[error, error], '2 errors'],
  [[warning], '1 warning'],
  [[warning, warning], '2 warnings'],
  [[warning, error, error], '2 errors, 1 warning'],
]

for (const [problems, text] of counts) {
  test(`${problems.map(({ id }) => id).join(' ') || 'nothing'} counts as "${text}"`, () => {
    assert.equal(countProblems(problems), text)
  })
}

test('a noun may have a plural of its own', () => {
  assert.deepEqual([plural(1, 'process', 'processes'), plural(2, 'process', 'processes')], ['1 process', '2 processes'])
  assert.equal(plural(0, 'error'), '0 errors')
})

const terminal = { isTerminal: true, columns: 80, write: () => {} }
const pipe = { isTerminal: false, columns: undefined, write: () => {} }

const colours: readonly (readonly [...Parameters<typeof createPaint>, coloured: boolean, where: string])[] = [
  [terminal, {}, true, true, 'on a terminal'],
  [pipe, {}, true, false, 'in a pipe'],
  [terminal, {}, false, false, 'with --no-color'],
  [terminal, { NO_COLOR: '1' }, true, false, 'with NO_COLOR'],
  [terminal, { NO_COLOR: '' }, true, true, 'with an empty NO_COLOR'],
  [terminal, { TERM: 'dumb' }, true, false, 'on a dumb terminal'],
]

for (const [output, env, allowed, coloured, where] of colours) {
  test(`${where} text is ${coloured ? '' : 'not '}coloured`, () => {
    assert.equal(createPaint(output, env, allowed)('red', 'text'), coloured ? '\x1b[31mtext\x1b[39m' : 'text')
  })
}
