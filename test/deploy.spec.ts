import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Cluster, type ClusterOptions, startCluster } from './support/cluster/cluster.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver } from './support/running.ts'

const DECLARATION = `
PRODUCTION_PROCESSES = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate --noinput", "RUN": "release"},
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}, "INSTANCES": 2},
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app", "READY": {"delay": 1}},
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app", "READY": {"delay": 1}},
    "cleanup": {"BACKEND": "django-command", "APP": "clearsessions", "SCHEDULE": "0 3 * * *"},
}
`
const CELERY = 'from celery import Celery\n\napp = Celery("mysite")\n'

interface Shop {
  readonly cluster: Cluster
  readonly deploy: (image: string, ...more: string[]) => Promise<Finished>
  readonly imageOf: (name: string) => Promise<string | undefined>
}

async function createShop(t: TestContext, options: ClusterOptions = {}, settings = DECLARATION): Promise<Shop> {
  const cluster = await startCluster(t, options)
  const cwd = createProject(t, { settings, files: { 'mysite/celery.py': CELERY } })
  const args = ['--kubeconfig', cluster.kubeconfig, '--name', 'shop']
  return {
    cluster,
    deploy: (image, ...more) => prodserver(t, ['deploy', 'kubernetes', ...args, '--image', image, ...more], { cwd }),
    imageOf: async (name) => {
      const spec = (await cluster.get('deployments', name))?.spec as DeploymentSpec | undefined
      return spec?.template.spec.containers[0]?.image
    },
  }
}

interface DeploymentSpec {
  readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
}

/** Pods and Jobs have names that nobody chooses, and times. */
const hide = (text: string): string =>
  text.replace(/(shop-[a-z]+)-\w+(-\w+)?/g, '$1-POD').replace(/ after [\d.]+s/g, '')

/** Lines of events come in any order. */
const sorted = (text: string): readonly string[] =>
  hide(text)
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').trim())
    .filter(Boolean)
    .toSorted()

test('a deployment runs what comes first, brings up the rest, and waits for it', async (t) => {
  const { cluster, deploy } = await createShop(t)
  const { code, stdout } = await deploy('shop:1')
  const lines = sorted(stdout)
  for (const line of [
    'migrate ✓ done',
    'web deployed 2 of 2',
    'worker deployed 1 of 1',
    'beat deployed 1 of 1',
    'cleanup scheduled 0 3 * * *',
  ])
    assert.ok(lines.includes(line), `${line} in:\n${stdout}`)
  assert.equal(code, 0)
  assert.deepEqual((await cluster.list('deployments')).map(({ metadata }) => metadata.name).toSorted(), [
    'shop-beat',
    'shop-web',
    'shop-worker',
  ])
  assert.deepEqual(
    (await cluster.list('cronjobs')).map(({ metadata }) => metadata.name),
    ['shop-cleanup'],
  )
  const again = await deploy('shop:1')
  assert.ok(sorted(again.stdout).includes('migrate = done before for this release'), again.stdout)
  assert.equal(again.code, 0)
  assert.equal((await cluster.list('jobs')).length, 1)
  const next = await deploy('shop:2', '--json')
  assert.equal(next.code, 0)
  const events = next.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { event?: { type: string; process: string } })
  const types = events.flatMap(({ event }) => (event ? [`${event.process} ${event.type}`] : []))
  assert.equal(types[0], 'migrate done')
  assert.equal(types.filter((type) => type === 'web ready').length, 2)
})

test('a migration that fails stops the deployment, and what runs is left alone', async (t) => {
  const { cluster, deploy, imageOf } = await createShop(t, {
    fates: ({ job, image }) => {
      if (!job) return { is: 'ready' }
      return image === 'shop:2' ? { is: 'crash', exitCode: 1 } : { is: 'done' }
    },
    prints: (pod) => (pod.includes('migrate') ? ['Applying shop.0002...', 'no such table: shop_order'] : []),
  })
  assert.equal((await deploy('shop:1')).code, 0)
  const { code, stderr } = await deploy('shop:2')
  assert.match(
    stderr,
    /^migrate {2,}REFUSED {2}it failed: .*; what runs is left alone\n(.*\n)*.*no such table: shop_order/m,
  )
  assert.equal(code, 4)
  assert.equal(await imageOf('shop-web'), 'shop:1')
  // Once it is mended it runs again, though it has failed before for this release.
  assert.equal((await cluster.list('jobs')).length, 2)
})

test('a version that does not get ready is taken back, with its last lines', async (t) => {
  const { cluster, deploy, imageOf } = await createShop(t, {
    fates: ({ job, image, process }) => {
      if (job) return { is: 'done' }
      if (image === 'shop:2' && process === 'web') return { is: 'crash', exitCode: 3 }
      return { is: image === 'shop:3' && process === 'web' ? 'no-image' : 'ready' }
    },
    prints: () => ['ModuleNotFoundError: No module named shop'],
  })
  assert.equal((await deploy('shop:1')).code, 0)
  const crashed = await deploy('shop:2')
  assert.match(crashed.stderr, /web {2,}REFUSED {2}exit 3; the old one goes on\n.*ModuleNotFoundError/)
  assert.equal(crashed.code, 4)
  assert.equal(await imageOf('shop-web'), 'shop:1')
  assert.equal(await imageOf('shop-worker'), 'shop:2')
  const missing = await deploy('shop:3')
  assert.match(missing.stderr, /web {2,}REFUSED {2}ImagePullBackOff: .*; the old one goes on/)
  assert.equal(await imageOf('shop-web'), 'shop:1')
  assert.ok((await cluster.list('pods')).length >= 4)
})

test('a first version that does not get ready has failed', async (t) => {
  const { deploy } = await createShop(t, { fates: ({ job }) => (job ? { is: 'done' } : { is: 'crash', exitCode: 3 }) })
  const { code, stderr } = await deploy('shop:1')
  assert.match(stderr, /web {2,}failed {2}exit 3/)
  assert.equal(code, 1)
})

test('what is not declared any more is removed, but not by a deployment of a part', async (t) => {
  const { cluster, deploy } = await createShop(t)
  assert.equal((await deploy('shop:1')).code, 0)
  const part = await deploy('shop:1', 'web')
  assert.equal(part.code, 0)
  assert.equal((await cluster.list('deployments')).length, 3)
})

test('a dry run shows every object, and asks no cluster', async (t) => {
  const { cluster, deploy } = await createShop(t)
  const { code, stdout } = await deploy('shop:1', '--dry-run')
  const objects = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { kind: string })
  assert.deepEqual(
    objects.map(({ kind }) => kind),
    ['Job', 'Deployment', 'Service', 'PodDisruptionBudget', 'Deployment', 'Deployment', 'CronJob'],
  )
  assert.deepEqual([code, (await cluster.list('deployments')).length], [0, 0])
})

test('what deploy needs is asked for', async (t) => {
  const { cluster } = await createShop(t)
  const cwd = createProject(t, { settings: DECLARATION })
  for (const [args, pattern] of [
    [[], /^prodserver: deploy takes an engine: kubernetes, nomad\./],
    [['swarm'], /^prodserver: There is no engine "swarm": kubernetes, nomad\./],
    [['kubernetes'], /^prodserver: deploy needs the image that it is to run\./],
  ] as const) {
    const { code, stderr } = await prodserver(t, ['deploy', ...args, '--kubeconfig', cluster.kubeconfig], { cwd })
    assert.match(stderr, pattern)
    assert.equal(code, 2)
  }
})

test('what is refused is said without what only files do not know', async (t) => {
  const { deploy } = await createShop(t)
  assert.deepEqual(await deploy('shop:1', '--set', 'web.ARGS.bind=127.0.0.1:8000'), {
    code: 4,
    stdout: '',
    stderr: `E802  PRODUCTION_PROCESSES["web"]["ARGS"]
      The server listens on 127.0.0.1:8000, which other containers cannot reach.
      → Listen on 0.0.0.0 in the container; the engine decides who can reach it
`,
  })
})
