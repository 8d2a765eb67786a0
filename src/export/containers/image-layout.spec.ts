import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportedProcess, exportInput } from '../../../test/support/exported.ts'
import { headerLine } from '../header.ts'
import { foundFiles, imageRoot, inImage } from './image-layout.ts'

const { project } = exportInput([])
const layout = { project, node: '/usr/bin/node', root: '/app' }
const READY = { intervalMs: 1000, timeoutMs: 5000, failures: 3, startMs: 60_000 }

test('what lies in the project on this machine lies elsewhere in an image', () => {
  const moved = inImage(
    exportedProcess({
      name: 'web',
      argv: [
        '/srv/shop/.venv/bin/python',
        '--chdir=/srv/shop',
        '/srv/shop/conf.py',
        '/srv/shopping',
        'x/srv/shop',
        '/usr/bin/node',
      ],
      env: { PYTHONPATH: '/srv/shop/lib:/srv/shop:/opt', GONE: null },
      cwd: '/srv/shop/inner',
      listen: ['unix:/srv/shop/web.sock'],
      ready: { ...READY, exec: ['/srv/shop/.venv/bin/python', '/srv/shop/check.py'] },
    }),
    layout,
  )
  assert.deepEqual(moved.argv, [
    'python',
    '--chdir=/app',
    '/app/conf.py',
    '/srv/shopping',
    'x/srv/shop',
    '/usr/bin/node',
  ])
  assert.deepEqual(moved.env, { PYTHONPATH: '/app/lib:/app:/opt', GONE: null })
  assert.deepEqual([moved.cwd, moved.listen], ['/app/inner', ['unix:/app/web.sock']])
  assert.deepEqual(moved.ready.exec, ['python', '/app/check.py'])
})

test('programs of the environment, and Node, are found by their names', () => {
  const programOf = (program: string): string | undefined =>
    inImage(exportedProcess({ name: 'web', argv: [program] }), layout).argv[0]
  assert.equal(programOf('/srv/shop/.venv/bin/celery'), 'celery')
  assert.equal(programOf('/usr/bin/node'), 'node')
  assert.equal(programOf('/srv/shop/bin/start.sh'), '/app/bin/start.sh')
  assert.equal(programOf('/usr/sbin/nginx'), '/usr/sbin/nginx')
})

test("where a project's own Dockerfile puts it", () => {
  assert.equal(imageRoot(undefined), '/app')
  assert.equal(imageRoot('FROM python\nRUN true\n'), '/app')
  assert.equal(imageRoot('FROM a AS build\nWORKDIR /build\nFROM b\n  workdir /srv/shop/\n'), '/srv/shop')
  assert.equal(imageRoot('FROM b\nWORKDIR $HOME\nWORKDIR "/code"\n'), '/code')
  assert.equal(imageRoot('FROM b\nWORKDIR /\n'), '/')
})

test('what an export has written is none of the files of the project', () => {
  const ours = `${headerLine({ target: 'compose', name: 'shop' })}FROM python\n`
  const found = foundFiles(
    new Map([
      ['Dockerfile', ours],
      ['manage.py', ''],
    ]),
  )
  assert.deepEqual([...found.names], ['manage.py'])
  assert.equal(found.dockerfile, undefined)
  assert.equal(foundFiles(new Map([['Dockerfile', 'FROM x\n']])).dockerfile, 'FROM x\n')
})
