import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'

const MANAGE = `
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
if os.path.exists(__file__):
    os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.other"

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
`
const OTHER = 'PRODUCTION_PROCESSES = {"other": {"BACKEND": "command", "APP": "true"}}\n'

test('the settings are those that manage.py sets when it is run, not the first that its text names', async (t) => {
  const cwd = createProject(t, { files: { 'manage.py': MANAGE, 'mysite/other.py': OTHER } })
  const { stdout, stderr } = await prodserver(t, ['list', '--names'], { cwd })
  assert.deepEqual({ stdout, stderr }, { stdout: 'other\n', stderr: '' })
})
