import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { kubernetesObjects } from '../src/export/index.ts'
import { scheduleProblem } from '../src/export/kubernetes/check.ts'
import { hasProgram, PYTHON, ROOT } from './support/environment.ts'
import { exportedProcess, exportInput } from './support/exported.ts'
import { assertGolden } from './support/golden.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject } from './support/project.ts'
import { prodserver, run, start } from './support/running.ts'
import { createEverything, createStack } from './support/stack.ts'

const OPTIONS = ['--name=shop', '--image=registry.example.com/shop:1.4', '--env-from=shop-secrets']
const ENVIRONMENTS = ['--environment=production', '--environment=staging']

async function exportKubernetes(t: TestContext, root: string, options: readonly string[] = []): Promise<string> {
  const args = ['export', 'kubernetes', '--python', PYTHON, ...OPTIONS, ...options, '--out', 'k8s']
  const { code, stderr } = await prodserver(t, args, { cwd: root })
  assert.equal(code, 0, stderr)
  return join(root, 'k8s')
}

/** The program of Kubernetes itself, without a cluster and without anybody's configuration. */
const kubectl = (t: TestContext, args: readonly string[], cwd: string): ReturnType<typeof run> =>
  run(t, join(dirname(PYTHON), 'kubectl'), args, { cwd, env: { KUBECONFIG: '/dev/null' } })

test("the reference's complete stack, as files that stand in the repository", async (t) => {
  const { root } = createStack(t)
  const folder = await exportKubernetes(t, root, ENVIRONMENTS)
  assertGolden('kubernetes', folder)
  const args = ['export', 'kubernetes', '--python', PYTHON, ...OPTIONS, '--out', 'k8s']
  const again = await prodserver(t, [...args, ...ENVIRONMENTS, '--check'], { cwd: root })
  assert.deepEqual([again.code, again.stdout], [0, 'Up to date: 6 files in k8s.\n'])
  const fewer = await prodserver(t, [...args, '--environment=production'], { cwd: root })
  assert.match(fewer.stdout, /^removed +\S*\/overlays\/staging\/kustomization\.yaml$/m)
})

test('Kustomize builds it, and it is valid by the schemas of three versions of Kubernetes', async (t) => {
  const { root } = createEverything(t)
  const folder = await exportKubernetes(t, root, [...ENVIRONMENTS, '--autoscale=api=2-10'])
  for (const place of ['base', 'overlays/production', 'overlays/staging']) {
    const built = await kubectl(t, ['kustomize', place], folder)
    assert.equal(built.code, 0, built.stderr)
    const file = join(root, `${place.replace('/', '-')}.yaml`)
    writeFileSync(file, built.stdout)
    assert.equal(await judge(t, file), '')
    const kinds = parseAllDocuments(built.stdout).map((document) => document.get('kind') as string)
    assert.deepEqual(
      Object.entries(Object.groupBy(kinds, (kind) => kind))
        .map(([kind, all]) => `${all?.length} ${kind}`)
        .toSorted(),
      ['1 CronJob', '1 HorizontalPodAutoscaler', '2 Job', '2 Service', '3 PodDisruptionBudget', '4 Deployment'],
    )
  }
  // It can fail.
  const wrong = join(root, 'wrong.yaml')
  writeFileSync(wrong, readFileSync(join(folder, 'base', 'web.yaml'), 'utf8').replace('args:', 'arguments:'))
  assert.match(await judge(t, wrong), /1\.31 Deployment shop-web: .*'arguments' was unexpected/)
})

async function judge(t: TestContext, file: string): Promise<string> {
  const script = join(ROOT, 'test', 'support', 'validate_kubernetes.py')
  const { code, stdout, stderr } = await run(t, PYTHON, [script, '1.31,1.34,1.37', file])
  assert.equal(code, 0, stderr)
  return stdout
}

test("kubectl's own types hold every word of what is started", async (t) => {
  const { root } = createEverything(t)
  const folder = await exportKubernetes(t, root)
  const files = globSync('base/*.yaml', { cwd: folder }).filter((file) => !file.endsWith('kustomization.yaml'))
  assert.equal(files.length, 7)
  await Promise.all(
    files.map(async (file) => {
      const [first = ''] = readFileSync(join(folder, file), 'utf8').split('\n---\n')
      const alone = join(folder, `${file}.first`)
      writeFileSync(alone, first)
      // It reads the object into the types of the API, changes a field, and writes it again.
      const args = ['set', 'image', '--local', '-f', alone, 'main=other:2', '-o', 'json']
      const { code, stdout, stderr } = await kubectl(t, args, folder)
      assert.equal(code, 0, stderr)
      const container = (object: unknown): object => ({ ...containerOf(object), image: 'other:2' })
      const written = parseAllDocuments(first)[0]?.toJSON() as unknown
      assert.deepEqual({ ...containerOf(JSON.parse(stdout)), resources: {} }, { ...container(written), resources: {} })
    }),
  )
})

interface Workload {
  readonly spec: {
    readonly template?: Template
    readonly jobTemplate?: { readonly spec: { readonly template: Template } }
  }
}
interface Template {
  readonly spec: { readonly containers: readonly object[] }
}

const containerOf = (object: unknown): object => {
  const { spec } = object as Workload
  return (spec.template ?? spec.jobTemplate?.spec.template)?.spec.containers[0] ?? {}
}

test('a signal other than TERM is sent from inside, and TERM held back until it has done its work', () => {
  const web = exportedProcess({
    name: 'web',
    kind: 'web',
    listen: ['0.0.0.0:80'],
    stop: { signal: 'INT', timeoutMs: 30_000 },
  })
  const [deployment] = kubernetesObjects(exportInput([web]))
  const workload = deployment?.spec as Workload['spec'] | undefined
  const spec = workload?.template?.spec
  assert.deepEqual((containerOf(deployment) as { lifecycle: unknown }).lifecycle, {
    preStop: {
      exec: {
        command: ['python', '-c', 'import os, signal, time; time.sleep(5); os.kill(1, signal.SIGINT); time.sleep(30)'],
      },
    },
  })
  const { terminationGracePeriodSeconds, securityContext } = spec as unknown as Record<string, unknown>
  assert.equal(terminationGracePeriodSeconds, 35)
  // A port that is root's elsewhere is bound by a user that is not.
  assert.deepEqual((securityContext as Record<string, unknown>)['sysctls'], [
    { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' },
  ])
})

test('a worker is scaled by the queues that it takes from, with KEDA', () => {
  const argv = ['python', '-m', 'celery', '-A', 'shop.celery', 'worker', '--queues=default,mail']
  const queue = { broker: 'rabbitmq', variable: 'CELERY_BROKER_URL', names: [] } as const
  const input = exportInput([exportedProcess({ name: 'worker', argv })], {
    autoscale: [{ process: 'worker', min: 0, max: 20, queue }],
  })
  const objects = kubernetesObjects(input)
  assert.equal(objects.find(({ kind }) => kind === 'Deployment')?.spec['replicas'], undefined)
  const trigger = (queueName: string): object => ({
    type: 'rabbitmq',
    metadata: { hostFromEnv: 'CELERY_BROKER_URL', protocol: 'amqp', queueName, mode: 'QueueLength', value: '10' },
  })
  assert.deepEqual(objects.find(({ kind }) => kind === 'ScaledObject')?.spec, {
    scaleTargetRef: { name: 'shop-worker' },
    minReplicaCount: 0,
    maxReplicaCount: 20,
    triggers: [trigger('default'), trigger('mail')],
  })
})

test('what TERM does not end as process 1 is ended by the signal from inside', async (t) => {
  if (!hasProgram(t, 'unshare', 'apt-get install util-linux')) return
  if (process.getuid?.() !== 0) return t.skip('Only root can be process 1 of a namespace everywhere.')
  const port = await freePort()
  const args = ['--pid', '--fork', '--mount-proc', '--kill-child', PYTHON, '-m', 'waitress', `--port=${port}`]
  const container = start(t, 'unshare', [...args, 'mysite.wsgi:application'], { cwd: createProject(t) })
  await waitForHttp(container, { port })
  const first = Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8'))
  const stop = { signal: 'INT', timeoutMs: 60_000 }
  const [deployment] = kubernetesObjects(exportInput([exportedProcess({ name: 'web', stop })]))
  const { lifecycle } = containerOf(deployment) as { lifecycle: { preStop: { exec: { command: string[] } } } }
  const [program, ...hook] = lifecycle.preStop.exec.command
  assert.equal(program, 'python')
  process.kill(first, 'SIGTERM')
  // The kernel lets it be: it is the first process, and has no handler.
  await waitForHttp(container, { port })
  const sent = start(t, 'nsenter', ['--target', String(first), '--pid', '--mount', PYTHON, ...hook])
  // It would go on for a minute; what ends it is the end of process 1.
  assert.equal((await sent.ended(30_000)).signal, 'SIGKILL')
  await container.ended(30_000)
  assert.equal(container.isRunning(), false)
})

test('what Kubernetes cannot read in a schedule is found', () => {
  const good = ['0 3 * * *', '*/5 * * * 1-5', '0 0 1 jan,jul mon-fri', '@daily', '0 3 ? * 0']
  assert.deepEqual(
    good.filter((cron) => scheduleProblem(cron) !== undefined),
    [],
  )
  const bad = ['0 0 3 * * *', '0 0 L * *', '0 0 * * 5#2', '0 0 * * 7', '0 0 15W * *', '0 0 * * 5-7']
  assert.deepEqual(
    bad.filter((cron) => scheduleProblem(cron) === undefined),
    [],
  )
})
