import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManage } from './manage.ts'

/** What `django-admin startproject` writes: its message speaks of two kinds of environment. */
const STOCK = `#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""
import os
import sys


def main():
    """Run administrative tasks."""
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
    try:
        from django.core.management import execute_from_command_line
    except ImportError as exc:
        raise ImportError(
            "Couldn't import Django. Are you sure it's installed and "
            "available on your PYTHONPATH environment variable? Did you "
            "forget to activate a virtual environment?"
        ) from exc
    execute_from_command_line(sys.argv)


if __name__ == '__main__':
    main()
`
const SETDEFAULT = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')"

test("Django's own manage.py need not be run", () => {
  assert.deepEqual(parseManage(STOCK), { settings: 'mysite.settings', stock: true })
})

const unusual: readonly (readonly [what: string, text: string, settings: string | undefined])[] = [
  ['sets another variable', STOCK.replace(SETDEFAULT, `${SETDEFAULT}\n    os.environ['A'] = 'b'`), 'mysite.settings'],
  ['sets one by os.putenv', STOCK.replace(SETDEFAULT, `${SETDEFAULT}\n    os.putenv('A', 'b')`), 'mysite.settings'],
  [
    'imports putenv by name',
    STOCK.replace('import os', 'import os\nfrom os import putenv\nputenv("A", "b")'),
    'mysite.settings',
  ],
  ['imports environ by name', STOCK.replace('import os', 'import os\nfrom os import environ'), 'mysite.settings'],
  ['adds a folder to the path', STOCK.replace('import sys', 'import sys\nsys.path.append("apps")'), 'mysite.settings'],
  ['reads a dotenv file', STOCK.replace('import sys', 'import sys\nimport dotenv'), 'mysite.settings'],
  ['computes its settings', STOCK.replace("'mysite.settings'", "'mysite.' + os.getenv('STAGE')"), undefined],
  [
    'chooses its settings',
    STOCK.replace(SETDEFAULT, "os.environ['DJANGO_SETTINGS_MODULE'] = 'a' if sys.flags.dev_mode else 'b'"),
    undefined,
  ],
  [
    'looks at its arguments',
    STOCK.replace(SETDEFAULT, `if 'test' in sys.argv: pass\n    ${SETDEFAULT}`),
    'mysite.settings',
  ],
]

for (const [what, text, settings] of unusual) {
  test(`a manage.py that ${what} is run`, () => {
    assert.deepEqual(parseManage(text), { settings, stock: false })
  })
}
