import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type NomadOptions, type NomadServer, startNomad } from './support/cluster/nomad-server.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver } from './support/running.ts'

const DECLARATION = `
PRODUCTION_PROCESSES = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate --noinput", "RUN": "release"},
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}, "INSTANCES": 2},
    "cleanup": {"BACKEND": "django-command", "APP": "clearsessions", "SCHEDULE": "0 3 * * *"},
}
`

interface Shop {
  readonly nomad: NomadServer
  readonly deploy: (image: string, ...more: string[]) => Promise<Finished>
}

async function createShop(t: TestContext, options: NomadOptions = {}): Promise<Shop> {
  const nomad = await startNomad(t, options)
  const cwd = createProject(t, { settings: DECLARATION })
  const env = { NOMAD_ADDR: nomad.address, NOMAD_TOKEN: 'token-of-the-test' }
  const args = ['deploy', 'nomad', '--name', 'shop', '--image']
  return { nomad, deploy: (image, ...more) => prodserver(t, [...args, image, ...more], { cwd, env }) }
}

/** Allocations have names that nobody chooses. */
const hide = (text: string): string => text.replace(/\b[0-9a-z]{8}\b(?= +✓)/g, 'ID').replace(/ +/g, ' ')

test('a deployment runs what comes first, brings up the rest, and waits for it', async (t) => {
  const { nomad, deploy } = await createShop(t)
  const { code, stdout } = await deploy('shop:1')
  assert.match(hide(stdout), /^ migrate ✓ done\n web\[0\] ID ✓ ready\n web\[1\] ID ✓ ready\n/)
  assert.match(hide(stdout), /web deployed 2 of 2\n/)
  assert.match(hide(stdout), /cleanup scheduled 0 3 \* \* \*\n/)
  assert.equal(code, 0)
  assert.deepEqual([...nomad.jobs.keys()].toSorted(), ['shop', 'shop-cleanup', 'shop-migrate'])
  const again = await deploy('shop:1')
  assert.match(hide(again.stdout), /^ migrate = done before for this release\n/)
  const next = await deploy('shop:2')
  assert.match(hide(next.stdout), /^ migrate ✓ done\n/)
})

test('a migration that fails stops the deployment, and what runs is left alone', async (t) => {
  const { nomad, deploy } = await createShop(t, { works: (group, image) => group !== 'migrate' || image !== 'shop:2' })
  assert.equal((await deploy('shop:1')).code, 0)
  const { code, stderr } = await deploy('shop:2')
  assert.match(stderr, /migrate {2}REFUSED {2}it failed: Exit Code: 3; what runs is left alone\n.*ModuleNotFoundError/)
  assert.equal(code, 4)
  assert.equal(nomad.jobs.get('shop')?.Image, 'shop:1')
})

test('a version that does not get healthy is refused, with its last lines', async (t) => {
  const { deploy } = await createShop(t, { works: (group, image) => group !== 'web' || image !== 'shop:2' })
  assert.equal((await deploy('shop:1')).code, 0)
  const { code, stderr } = await deploy('shop:2')
  assert.match(stderr, /web +REFUSED {2}Exit Code: 3; the version before comes back\n.*ModuleNotFoundError/)
  assert.equal(code, 4)
})

test('a dry run shows the jobs and asks nobody; what keeps Nomad from being asked is told', async (t) => {
  const { nomad, deploy } = await createShop(t)
  const { code, stdout } = await deploy('shop:1', '--dry-run')
  assert.match(stdout, /^job "shop" \{/m)
  assert.deepEqual([code, nomad.requests], [0, []])
  const cwd = createProject(t, { settings: DECLARATION })
  const args = ['deploy', 'nomad', '--image', 'shop:1']
  const forbidden = await prodserver(t, args, { cwd, env: { NOMAD_ADDR: nomad.address } })
  assert.match(forbidden.stderr, /E902 .*\n +The cluster refuses: Permission denied\.\n +→ Set NOMAD_TOKEN\n/)
  assert.equal(forbidden.code, 6)
  const absent = await prodserver(t, args, { cwd, env: { NOMAD_ADDR: 'http://127.0.0.1:1' } })
  assert.match(absent.stderr, /E903 {2}http:\/\/127\.0\.0\.1:1\n +The cluster cannot be reached: .*ECONNREFUSED/)
  assert.equal(absent.code, 1)
  const wrong = await prodserver(t, args, { cwd, env: { NOMAD_ADDR: 'nowhere' } })
  assert.match(wrong.stderr, /E901 {2}NOMAD_ADDR\n +nowhere is not a URL\./)
  const meaningless = await prodserver(t, [...args, '--namespace', 'x'], { cwd })
  assert.match(meaningless.stderr, /^prodserver: --namespace means nothing for Nomad\./)
})
