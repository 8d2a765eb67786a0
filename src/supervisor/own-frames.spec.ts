import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutForeignFrames } from './own-frames.ts'

const lines = (text: string): readonly string[] => text.split('\n').slice(1, -1)

// What uvicorn prints of an application that imports what is not there, its beginning cut off.
const uvicorn = lines(`
    return import_from_string(self.app)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/node_modules/prodserver/dist/chunks/prodserver_runner/run.py", line 34, in main
    runpy.run_module(module, run_name="__main__", alter_sys=True)
  File "/srv/env/lib/python3.11/site-packages/uvicorn/importer.py", line 22, in import_from_string
    raise exc from None
  File "<frozen importlib._bootstrap_external>", line 940, in exec_module
  File "/srv/shop/mysite/asgi.py", line 2, in <module>
    import nosuchmodule
    ^^^^^^^^^^^^^^^^^^^
ModuleNotFoundError: No module named 'nosuchmodule'
[2026-01-01 10:00:00] [ERROR] ended
`)

test("shows the project's own frames and what was raised", () => {
  assert.deepEqual(
    withoutForeignFrames(uvicorn),
    lines(`
  File "/srv/shop/mysite/asgi.py", line 2, in <module>
    import nosuchmodule
    ^^^^^^^^^^^^^^^^^^^
ModuleNotFoundError: No module named 'nosuchmodule'
[2026-01-01 10:00:00] [ERROR] ended
`),
  )
})

test('keeps a traceback that has no frame of the project', () => {
  const foreign = lines(`
Traceback (most recent call last):
  File "/srv/env/lib/python3.11/site-packages/redis/connection.py", line 1, in connect
    raise error
ConnectionError: refused
`)
  assert.deepEqual(withoutForeignFrames(foreign), foreign)
})

test('keeps what is no traceback, indented lines too', () => {
  const plain = ['    indented', 'Listening', '      more']
  assert.deepEqual(withoutForeignFrames(plain), plain)
})
