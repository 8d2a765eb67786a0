/**
 * `node scripts/control-plane.mjs [COMMAND...]`: a real control plane of Kubernetes (etcd, the API server and the
 * controllers), built from source, and the tests of deployments against it. With a command, that runs instead, with
 * `KUBECONFIG` and `PRODSERVER_TEST_KUBECONFIG` set. Needs Go; the first build takes half an hour of two processors.
 */
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './setup/command.mjs'
import { environment, findProgram, root } from './setup/environment.mjs'
import { main, SetupError, step } from './setup/steps.mjs'

const TESTS = ['npm', 'test', '--', 'test/cluster.spec.ts', 'test/deploy.spec.ts']
const BUILD_TIMEOUT_MS = 5_400_000
const START_TIMEOUT_MS = 120_000

await main(async () => {
  const given = process.argv.slice(2)
  const binary = await ensureBinary()
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-control-plane-'))
  /** @type {import('node:child_process').ChildProcess[]} */
  const programs = []
  try {
    const kubeconfig = await step('starting etcd, the API server and the controllers', () =>
      start(binary, folder, programs),
    )
    const [program = '', ...args] = given.length > 0 ? given : TESTS
    const env = environment({ KUBECONFIG: kubeconfig, PRODSERVER_TEST_KUBECONFIG: kubeconfig })
    const child = spawn(program, args, { cwd: root, env, stdio: 'inherit' })
    // Its end is what everything else is ended by.
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      process.on(signal, () => child.kill(signal))
    const [code] = await once(child, 'exit')
    return code ?? 1
  } finally {
    for (const child of programs.toReversed()) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
})

/** @returns {Promise<string>} one program that is each of them, by the name that it is started with */
async function ensureBinary() {
  const source = join(root, 'scripts', 'control-plane')
  const binary = join(root, 'build', 'control-plane')
  if (existsSync(binary)) return binary
  const go = findProgram('go')
  if (go === undefined) throw new SetupError('Go is not installed', 'It builds the control plane: https://go.dev/dl')
  mkdirSync(join(root, 'build'), { recursive: true })
  await step('building the control plane (go build)', () =>
    run('control-plane', [go, 'build', '-ldflags', '-s -w', '-o', binary, '.'], {
      cwd: source,
      timeoutMs: BUILD_TIMEOUT_MS,
    }),
  )
  return binary
}

/**
 * @param {string} binary
 * @param {string} folder
 * @param {import('node:child_process').ChildProcess[]} programs takes up what was started
 * @returns {Promise<string>} the kubeconfig
 */
async function start(binary, folder, programs) {
  const [client, peer, secure, controllers] = await freePorts(4)
  const file = (/** @type {string} */ name) => join(folder, name)
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(file('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(file('sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const token = 'token-of-the-control-plane'
  writeFileSync(file('tokens.csv'), `${token},admin,admin,system:masters\n`)
  const server = `https://127.0.0.1:${secure}`
  writeFileSync(file('kubeconfig'), kubeconfigOf(server, token))
  const launch = (/** @type {string} */ name, /** @type {Record<string, string>} */ flags) => {
    symlinkSync(binary, file(name))
    const log = openSync(file(`${name}.log`), 'w')
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
    programs.push(spawn(file(name), args, { cwd: folder, stdio: ['ignore', log, log] }))
    closeSync(log)
  }
  launch('etcd', {
    'data-dir': file('data'),
    'listen-client-urls': `http://127.0.0.1:${client}`,
    'advertise-client-urls': `http://127.0.0.1:${client}`,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-cluster': `default=http://127.0.0.1:${peer}`,
    'unsafe-no-fsync': 'true',
  })
  launch('kube-apiserver', {
    'etcd-servers': `http://127.0.0.1:${client}`,
    'bind-address': '127.0.0.1',
    'secure-port': String(secure),
    'cert-dir': file('certificates'),
    'service-cluster-ip-range': '10.0.0.0/24',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': file('sa.pub'),
    'service-account-signing-key-file': file('sa.key'),
    'token-auth-file': file('tokens.csv'),
    'authorization-mode': 'RBAC',
    // Pods need no identity here, and would wait for one.
    'disable-admission-plugins': 'ServiceAccount',
    'kubelet-preferred-address-types': 'InternalIP',
  })
  await answers(`${server}/readyz`, token, programs)
  launch('kube-controller-manager', {
    kubeconfig: file('kubeconfig'),
    'leader-elect': 'false',
    'secure-port': String(controllers),
    'bind-address': '127.0.0.1',
    'service-account-private-key-file': file('sa.key'),
  })
  return file('kubeconfig')
}

/** @param {number} count */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port)
  for (const server of servers) server.close()
  return ports
}

/**
 * @param {string} url
 * @param {string} token
 * @param {import('node:child_process').ChildProcess[]} programs
 */
async function answers(url, token, programs) {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isOk(url, token))) {
    if (programs.some(({ exitCode }) => exitCode !== null)) throw new SetupError('A part of the control plane ended')
    if (Date.now() > deadline) throw new SetupError('The API server does not get ready')
    await new Promise((next) => setTimeout(next, 200))
  }
}

/**
 * @param {string} url
 * @param {string} token
 * @returns {Promise<boolean>}
 */
function isOk(url, token) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` }
    const sent = request(url, { headers, rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.on('error', () => resolve(false))
    sent.end()
  })
}

/**
 * @param {string} server
 * @param {string} token
 */
function kubeconfigOf(server, token) {
  return `apiVersion: v1
kind: Config
current-context: test
contexts:
  - name: test
    context: { cluster: test, user: admin }
clusters:
  - name: test
    cluster: { server: "${server}", insecure-skip-tls-verify: true }
users:
  - name: admin
    user: { token: ${token} }
`
}
