import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reveal, Secret } from '../core/secret.ts'
import type { Plan } from './plan.ts'
import { relocatePlan } from './relocate.ts'

test('paths below a folder are below the other, wherever they stand, secrets included', () => {
  const plan = {
    argv: ['/tmp/a/web.py', '--file=/tmp/a', '--other=/tmp/ab', '--both=/tmp/a:/tmp/a/lib', '/srv/tmp/a'],
    env: { URL: { value: new Secret('sqlite://x:y@/tmp/a/db', 'sqlite://x:••••@/tmp/a/db') } },
    nothing: null,
    instances: 2,
  }
  const moved = relocatePlan(plan as unknown as Plan, [['/tmp/a', '/srv/shop']]) as unknown as typeof plan
  assert.deepEqual(moved.argv.slice(0, 4), [
    '/srv/shop/web.py',
    '--file=/srv/shop',
    '--other=/tmp/ab',
    '--both=/srv/shop:/srv/shop/lib',
  ])
  assert.equal(reveal(moved.env.URL.value), 'sqlite://x:y@/srv/shop/db')
  assert.equal(String(moved.env.URL.value), 'sqlite://x:••••@/srv/shop/db')
  assert.deepEqual([moved.nothing, moved.instances], [null, 2])
})
