import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startApiServer } from './support/cluster/api-server.ts'
import { type Cluster, type ClusterOptions, startCluster } from './support/cluster/cluster.ts'
import type { Stored } from './support/cluster/objects.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver, startProdserver, waitUntil } from './support/running.ts'

const labels = (process: string, kind: string): Record<string, string> => ({
  'app.kubernetes.io/name': process,
  'app.kubernetes.io/part-of': 'shop',
  'app.kubernetes.io/component': kind,
  'app.kubernetes.io/managed-by': 'prodserver',
})

const deployment = (process: string, kind: string, replicas: number, strategy = 'RollingUpdate') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: `shop-${process}`, labels: labels(process, kind) },
  spec: {
    replicas,
    progressDeadlineSeconds: 1,
    selector: { matchLabels: { 'app.kubernetes.io/name': process } },
    strategy: { type: strategy },
    template: {
      metadata: { labels: labels(process, kind) },
      spec: { containers: [{ name: 'main', image: 'shop:1', command: ['python', '-m', process] }] },
    },
  },
})

interface Shop {
  readonly cluster: Cluster
  readonly call: (...args: string[]) => Promise<Finished>
  readonly args: readonly string[]
  readonly cwd: string
}

/** A cluster on which the shop runs: two web servers, a worker, a scheduler. */
const startShop = async (t: TestContext, options: ClusterOptions = {}): Promise<Shop> =>
  deployShop(t, await startCluster(t, options))

async function deployShop(t: TestContext, cluster: Cluster): Promise<Shop> {
  await cluster.apply('deployments', deployment('web', 'web', 2))
  await cluster.apply('deployments', deployment('worker', 'worker', 1))
  await cluster.apply('deployments', deployment('beat', 'scheduler', 1, 'Recreate'))
  await cluster.apply('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop-web', labels: labels('web', 'web') },
    spec: { ports: [{ port: 8000 }], selector: { 'app.kubernetes.io/name': 'web' } },
  })
  await waitUntil(
    async () => ((await cluster.list('pods')).filter(isReady).length === 4 ? true : undefined),
    60_000,
    () => 'The pods of the shop do not get ready.',
  )
  const cwd = createProject(t)
  const args = ['--on', 'kubernetes', '--kubeconfig', cluster.kubeconfig, '--name', 'shop']
  return { cluster, cwd, args, call: (verb, ...rest) => prodserver(t, [verb ?? '', ...args, ...rest], { cwd }) }
}

const isReady = ({ status }: Stored): boolean =>
  (status['conditions'] as { type: string; status: string }[] | undefined)?.some(
    ({ type, status: is }) => type === 'Ready' && is === 'True',
  ) === true

const namesOf = async (cluster: Cluster, plural: string): Promise<readonly string[]> =>
  (await cluster.list(plural))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)

/** Pods have names that nobody chooses, and times. */
const hide = (text: string): string =>
  text.replace(/(shop-[a-z]+)-\w+-\w+/g, '$1-POD').replace(/\d+(\.\d+)?s\b/g, 'TIME')

test('ps on a cluster has the same columns', async (t) => {
  const { call } = await startShop(t)
  const { code, stdout } = await call('ps')
  assert.deepEqual(
    hide(stdout)
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ').trim()),
    [
      'NAME STATE READY UPTIME RESTARTS CPU MEM PID LISTEN',
      'shop-web-POD running yes TIME 0 - - - shop-web:8000',
      'shop-web-POD running yes TIME 0 - - - (same)',
      'shop-worker-POD running yes TIME 0 - - - -',
      'shop-beat-POD running yes TIME 0 - - - -',
      '',
    ],
  )
  assert.equal(code, 0)
})

test('scale waits until there are as many, and takes what scale takes', async (t) => {
  const { cluster, call } = await startShop(t)
  const { code, stdout } = await call('scale', 'web=+1', 'w*r=3')
  assert.match(hide(stdout), /web +scaled +3 of 3\nworker +scaled +3 of 3\n$/)
  assert.equal(code, 0)
  assert.equal((await namesOf(cluster, 'pods')).length, 7)
})

test('a second scheduler is refused, and nothing is changed', async (t) => {
  const { cluster, call } = await startShop(t)
  const { code, stderr } = await call('scale', 'beat=2', 'web=5')
  assert.deepEqual([code, stderr], [4, 'beat  REFUSED  A scheduler runs once: two would run every job twice.\n'])
  assert.equal((await cluster.get('deployments', 'shop-web'))?.spec['replicas'], 2)
})

test('restart replaces every pod', async (t) => {
  const { cluster, call } = await startShop(t)
  const before = await namesOf(cluster, 'pods')
  const { code, stdout } = await call('restart', 'web')
  assert.match(hide(stdout), /shop-web-POD +✓ ready.*\n.*shop-web-POD +✓ ready.*\nweb +restarted +2 of 2\n$/)
  assert.equal(code, 0)
  const after = await namesOf(cluster, 'pods')
  assert.deepEqual([before.filter((pod) => after.includes(pod)).length, after.length], [2, 4])
})

test('stop and start remember how many there were', async (t) => {
  const { cluster, call } = await startShop(t)
  assert.equal((await call('stop', 'web')).code, 0)
  assert.equal((await namesOf(cluster, 'pods')).length, 2)
  assert.match((await call('ps', 'web')).stdout, /^NAME/)
  assert.equal((await call('start', 'web')).code, 0)
  assert.equal((await namesOf(cluster, 'pods')).length, 4)
})

test('down removes everything of it and nothing else', async (t) => {
  const { cluster, call } = await startShop(t)
  await cluster.apply('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'other', labels: { 'app.kubernetes.io/part-of': 'other' } },
    spec: { ports: [{ port: 8000 }] },
  })
  const { code, stdout } = await call('down')
  assert.match(stdout, /Down\. Nothing is left running\.\n$/)
  assert.equal(code, 0)
  assert.deepEqual(await Promise.all(['deployments', 'pods', 'services'].map((plural) => namesOf(cluster, plural))), [
    [],
    [],
    ['other'],
  ])
  const again = await call('ps')
  assert.match(again.stderr, /^E601 .*\n +Nothing is deployed\.\n/)
  assert.equal(again.code, 3)
})

test('logs of pods are merged by their time, and followed', async (t) => {
  const { cluster, args, cwd } = await startShop(t, { prints: (pod) => [`first of ${pod}`] })
  const following = startProdserver(t, ['logs', '-f', ...args, 'worker'], { cwd })
  await following.waitForOutput(/first of shop-worker/)
  const pod = (await namesOf(cluster, 'pods')).find((name) => name.includes('worker')) ?? ''
  cluster.print(pod, 'second line')
  await following.waitForOutput(/second line/)
  following.signal('SIGINT')
  await following.ended()
  assert.doesNotMatch(following.stdout(), /shop-web/)
  const { stdout } = await prodserver(t, ['logs', ...args, '--prefix', 'none', '--grep', 'second'], { cwd })
  assert.equal(stdout, 'second line\n')
})

test('a name that means nothing changes nothing', async (t) => {
  const cluster = await startApiServer(t)
  const { call } = await deployShop(t, cluster)
  const { code, stderr } = await call('restart', 'wbe')
  assert.match(stderr, /There is no process or instance "wbe"\.[\s\S]*Did you mean web\?/)
  assert.equal(code, 2)
  const [pod = ''] = await namesOf(cluster, 'pods')
  const single = await call('restart', pod)
  assert.match(single.stderr, /selects single instances, not a whole process\. On a cluster, name the process/)
  assert.equal(single.code, 2)
  assert.ok(cluster.requests.every((line) => line.startsWith('GET ')))
})

test('what keeps a cluster from being asked is told', async (t) => {
  const cluster = await startApiServer(t, {
    refuses: (line) =>
      line.startsWith('PATCH') ? { code: 403, message: 'deployments.apps "shop-web" is forbidden' } : undefined,
  })
  const { cwd, args } = await deployShop(t, cluster)
  const forbidden = await prodserver(t, ['restart', ...args, 'web'], { cwd })
  assert.match(
    forbidden.stderr,
    /E902 .*\n +The cluster refuses: deployments\.apps "shop-web" is forbidden\.\n +→ Who is asking is said in /,
  )
  assert.equal(forbidden.code, 6)
  const file = join(cwd, 'kubeconfig')
  for (const [text, pattern] of [
    ['', /E901 .*\n +It is not a kubeconfig\./],
    ['a: [', /E901 .*\n +It cannot be read: /],
    ['current-context: x\ncontexts: [{name: y, context: {}}]', /It has no context "x"\.\n +→ Did you mean y\?/],
    [
      'current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]\nusers: [{name: u, user: {}}]',
      /E903 {2}http:\/\/127\.0\.0\.1:1\n +The cluster cannot be reached: .*ECONNREFUSED/,
    ],
    [
      'current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]\nusers: [{name: u, user: {exec: {command: ./none}}}]',
      /The program that gives its credentials failed: .*ENOENT/,
    ],
  ] as const) {
    writeFileSync(file, text)
    const { code, stderr } = await prodserver(t, ['ps', '--on=kubernetes', '--kubeconfig', file], { cwd })
    assert.match(stderr, pattern)
    assert.equal(code, 1)
  }
  const missing = await prodserver(t, ['ps', '--on=kubernetes', '--kubeconfig=none'], { cwd })
  assert.match(missing.stderr, /E901 .*none\n +There is no such file\./)
  const nowhere = await prodserver(t, ['ps', '--namespace=shop'], { cwd })
  assert.match(
    nowhere.stderr,
    /^prodserver: --namespace says which cluster is meant, and nothing says that one is\. Add: --on kubernetes/,
  )
  assert.equal(nowhere.code, 2)
  const elsewhere = await prodserver(t, ['ps', '--on=mesos'], { cwd })
  assert.deepEqual(
    [elsewhere.code, elsewhere.stderr.split('\n')[0]],
    [2, 'prodserver: --on takes kubernetes, not "mesos".'],
  )
})
