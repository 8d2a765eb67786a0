import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCommandLine } from './shell.ts'
import { plain } from './text.ts'

/** A command line, and its programs with their environment and folder. */
const LINES: readonly (readonly [line: string, ...steps: readonly string[]])[] = [
  ['gunicorn mysite.wsgi -w 4', 'gunicorn|mysite.wsgi|-w|4'],
  [`echo 'a b' "c \\"d\\" e" f\\ g ''`, 'echo|a b|c "d" e|f g|'],
  ['gunicorn --bind 0.0.0.0:$PORT', 'gunicorn|--bind|0.0.0.0:$PORT'],
  ['gunicorn -w ${WEB_CONCURRENCY:-3} "--name=${NAME}"', 'gunicorn|-w|${WEB_CONCURRENCY:-3}|--name=$NAME'],
  [`echo '$HOME' \\$HOME`, 'echo|$HOME|$HOME'],
  ['DEBUG=0 exec env A="b c" celery -A x worker', 'DEBUG=0 A=b c celery|-A|x|worker'],
  ['cd app && . venv/bin/activate && exec daphne mysite.asgi', '(app) daphne|mysite.asgi'],
  ['cd a && cd b && ls', '(a/b) ls'],
  ['python manage.py migrate && gunicorn mysite.wsgi', 'python|manage.py|migrate', 'gunicorn|mysite.wsgi'],
  ['set -e\nmigrate; \\\n serve --now', 'migrate', 'serve|--now'],
  [''],
]

for (const [line, ...expected] of LINES)
  test(`read: ${JSON.stringify(line)}`, () => {
    const steps = readCommandLine(line)?.map(({ words, env, cwd }) =>
      [
        ...(cwd === undefined ? [] : [`(${cwd})`]),
        ...Object.entries(env).map(([name, value]) => `${name}=${plain(value)}`),
        words.map(plain).join('|'),
      ].join(' '),
    )
    assert.deepEqual(steps, expected)
  })

/** What no declaration can say. */
const UNREADABLE = ['a | b', 'a > file', 'a &', 'a $(b)', 'a `b`', 'a *.txt', '(a)', "a 'b", 'a || b']

for (const line of UNREADABLE)
  test(`not read: ${JSON.stringify(line)}`, () => assert.equal(readCommandLine(line), undefined))
