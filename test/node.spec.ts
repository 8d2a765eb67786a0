import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { startVersionedLoad } from './support/versioned.ts'
import { assertNoneFailed, type LoadTarget, startLoad } from './support/load.ts'
import { freePort, httpGet } from './support/net.ts'
import { NODE_PACKAGES } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { prodserver, startProdserver, waitUntil } from './support/running.ts'
import { createSupervised, endAll, type Supervised } from './support/supervised.ts'

const READY = { http: '/', interval: '50ms', failures: 400 }
const RELOADS = 3

interface Kind {
  readonly title: string
  /** Its code, where it answers with a version; `/slow` takes 200 ms. */
  readonly code: string
  readonly isOnUnixSocket?: boolean
  /** The script of a package that starts it. */
  readonly script?: string
}

const ANSWER = `const answer = (request, response) =>
  setTimeout(() => response.end(JSON.stringify({ version: VERSION, pid: process.pid })), request.url === '/slow' ? 200 : 0)
`

const kinds: readonly Kind[] = [
  {
    title: 'a script that knows nothing of signals',
    code: `import { createServer } from 'node:http'\n${ANSWER}\ncreateServer(answer).listen(process.env.PORT)`,
  },
  {
    title: 'a script that closes its server when it is asked to stop',
    code: `import { createServer } from 'node:http'
${ANSWER}
const server = createServer(answer).listen({ port: Number(process.env.PORT), host: '0.0.0.0' })
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})`,
  },
  {
    title: 'a cluster',
    code: `import cluster from 'node:cluster'
import { createServer } from 'node:http'
${ANSWER}
if (cluster.isPrimary) for (let count = 0; count < 2; count++) cluster.fork()
else createServer(answer).listen(process.env.PORT)`,
  },
  {
    title: 'a script on a Unix socket',
    isOnUnixSocket: true,
    code: `import { createServer } from 'node:http'\n${ANSWER}\ncreateServer(answer).listen(process.env.PORT)`,
  },
  {
    title: 'a script of a package',
    script: 'npm run serve',
    code: `import { createServer } from 'node:http'\n${ANSWER}\ncreateServer(answer).listen(process.env.PORT)`,
  },
]

interface Site extends Supervised {
  readonly target: LoadTarget
  readonly deploy: (version: number) => void
}

async function createSite(t: TestContext, { code, script, isOnUnixSocket = false }: Kind): Promise<Site> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-node-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = (version: number): string => `const VERSION = ${version}\n${code}\n`
  const socketPath = join(folder, 'web.sock')
  const site = createSupervised(t, {
    processes: {
      web: {
        ...(script === undefined ? { BACKEND: 'node', APP: 'server.mjs' } : { BACKEND: 'npm-script', APP: 'start' }),
        ENV: { PORT: isOnUnixSocket ? socketPath : port },
        READY,
      },
    },
    files: {
      'server.mjs': text(0),
      'package.json': JSON.stringify({ scripts: { start: script, serve: 'NODE_ENV=production node server.mjs' } }),
    },
  })
  return {
    ...site,
    target: isOnUnixSocket ? { socketPath } : { port },
    deploy: (version) => writeFileSync(join(site.root, 'server.mjs'), text(version)),
  }
}

describe('Node servers', { concurrency: 2 }, () => {
  for (const kind of kinds) {
    test(`${RELOADS} reloads of ${kind.title} under load drop no request`, async (t) => {
      const site = await createSite(t, kind)
      await site.up()
      assert.match((await site.cli('show', 'web')).stdout, /reload +rolling: the new one takes over the socket/)
      const allowed = { oldest: 0, newest: 0 }
      const load = startVersionedLoad(t, allowed, site.target)
      for (let version = 1; version <= RELOADS; version++) {
        const before = site.alive()
        const { pid } = await site.instance('web.1')
        site.deploy((allowed.newest = version))
        const { code, stderr } = await site.cli('reload', 'web')
        assert.equal(code, 0, stderr)
        allowed.oldest = version
        assert.notEqual((await site.instance('web.1')).pid, pid)
        assert.ok(before.includes(pid as number) && !site.alive().includes(pid as number))
      }
      await assertNoneFailed(load, 20 * RELOADS)
      // Nothing but what it says itself, which is nothing.
      assert.equal((await site.cli('logs', 'web', '--raw')).stdout, '')
      await endAll(site)
    })
  }

  test("Next.js's own server is started by Node itself, and its reloads under load drop no request", async (t) => {
    const port = await freePort()
    const site = createSupervised(t, {
      processes: { web: { BACKEND: 'next', CWD: 'front', ARGS: { port }, READY: { ...READY, http: '/api/pid' } } },
      env: { NEXT_TELEMETRY_DISABLED: '1' },
      files: NEXT_BUILD,
    })
    symlinkSync(NODE_PACKAGES, join(site.root, 'front', 'node_modules'))
    const { stdout } = await site.cli('show', 'web')
    assert.ok(stdout.includes(`next/dist/bin/next start --port=${port}\n`), stdout)
    assert.match(stdout, /reload +rolling: the new one takes over the socket/)
    await site.up()
    const pidOf = async (): Promise<unknown> => JSON.parse((await httpGet({ port }, '/api/pid')).body)
    const { pid } = await site.instance('web.1')
    assert.deepEqual(await pidOf(), { pid })
    const load = startLoad({ port, fresh: 2, keepAlive: 2, paths: ['/api/pid', '/api/pid?slow'], pauseMs: 30 })
    t.after(load.stop)
    await waitUntil(() => load.stats().requests > 5 || undefined)
    for (const _ of [1, 2]) {
      const { code, stderr } = await site.cli('reload', 'web')
      assert.equal(code, 0, stderr)
    }
    assert.notEqual((await site.instance('web.1')).pid, pid)
    await assertNoneFailed(load, 20)
    await endAll(site)
  })

  for (const [title, start] of [
    ['a script', 'listen()'],
    ['a cluster', 'if (cluster.isPrimary) cluster.fork()\nelse listen()'],
  ]) {
    test(`${title} that listens on less than is declared is reached by nobody else, and says so`, async (t) => {
      const port = await freePort()
      const code = `import cluster from 'node:cluster'
import { createServer } from 'node:http'
const listen = () => createServer((request, response) => response.end('it answers')).listen(${port}, '127.0.0.2')
${start}`
      const site = createSupervised(t, {
        processes: { web: { BACKEND: 'node', APP: 'server.mjs', ARGS: { port } } },
        files: { 'server.mjs': code },
      })
      await site.up()
      assert.equal(await (await fetch(`http://127.0.0.2:${port}`)).text(), 'it answers')
      await assert.rejects(fetch(`http://127.0.0.1:${port}`))
      assert.match(
        (await site.cli('logs', 'web', '--raw')).stdout,
        /is declared, and the script listens on 127\.0\.0\.2/,
      )
      await endAll(site)
    })
  }

  test('a script whose child listens is declared with RELOAD restart, and one without a port is not asked', async (t) => {
    const port = await freePort()
    const site = createSupervised(t, {
      processes: {
        parent: { BACKEND: 'node', APP: 'parent.mjs', ENV: { PORT: port }, RELOAD: 'restart', READY: { tcp: port } },
        job: { BACKEND: 'node', APP: 'job.mjs' },
      },
      files: {
        'parent.mjs': "import { fork } from 'node:child_process'\nfork('child.mjs')\n",
        'child.mjs':
          "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('child')).listen(process.env.PORT)\n",
        'job.mjs': 'setInterval(() => {}, 1000)',
      },
    })
    const { stdout } = await site.cli('show')
    assert.match(stdout, /^ {2}ready +it has run for 1s( |$)/m)
    assert.equal(stdout.match(/^ {2}reload +restart: it is away for a moment/gm)?.length, 2)
    await site.up()
    assert.equal((await httpGet({ port })).body, 'child')
    await endAll(site)
  })

  test('a script of a package is the process that was started, whatever it needs before, and TERM reaches it', async (t) => {
    const root = createProject(t, {
      settings: `PRODUCTION_PROCESSES = {
    "plain": {"BACKEND": "npm-script", "APP": "start", "CWD": "frontend", "ARGS": {"port": 1}},
    "shell": {"BACKEND": "npm-script", "APP": "shell", "CWD": "frontend", "ARGS": {"q": "two words"}},
    "tool": {"BACKEND": "npm-script", "APP": "tool", "CWD": "frontend"},
}`,
      files: {
        'frontend/package.json': JSON.stringify({
          name: 'shop',
          version: '1.2.3',
          scripts: {
            prestart: 'node -p "\'before\'"',
            start: 'node facts.mjs',
            shell: 'cd sub && node ../facts.mjs $npm_package_version',
            tool: 'A=b tool --fast',
          },
        }),
        'frontend/facts.mjs': FACTS,
        'frontend/sub/.keep': '',
        'frontend/node_modules/tool/tool.js': `#!/usr/bin/env node\nimport('../../facts.mjs')\n`,
      },
    })
    const tool = join(root, 'frontend/node_modules/tool/tool.js')
    chmodSync(tool, 0o755)
    mkdirSync(join(root, 'frontend/node_modules/.bin'))
    symlinkSync(tool, join(root, 'frontend/node_modules/.bin/tool'))
    const facts = async (name: string, ...words: readonly string[]): Promise<Record<string, unknown>> => {
      const running = startProdserver(t, ['run', name, ...words], { cwd: root })
      const [line] = await running.waitForOutput(/^\{.*\}$/m)
      assert.equal((JSON.parse(line) as { pid: number }).pid, running.pid, name)
      assert.equal(running.stdout().includes('before'), name === 'plain')
      running.signal('SIGTERM')
      assert.deepEqual(await running.ended(), { code: 7, signal: null }, running.output())
      return JSON.parse(line) as Record<string, unknown>
    }
    const { stdout: compose } = await prodserver(t, ['export', 'compose', 'tool'], { cwd: root })
    assert.ok(
      compose.includes('PATH: /app/frontend/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'),
      compose,
    )
    const cwd = join(root, 'frontend')
    const npm = { event: 'start', version: '1.2.3' }
    const [plain, shell, other] = await Promise.all([facts('plain', '--more'), facts('shell', 'x'), facts('tool')])
    assert.deepEqual(
      [plain, shell, other].map(({ pid: _pid, ...rest }) => rest),
      [
        { args: ['--port=1', '--more'], cwd, a: null, ...npm },
        { args: ['1.2.3', '-q', 'two words', 'x'], cwd: join(cwd, 'sub'), a: null, ...npm, event: 'shell' },
        { args: ['--fast'], cwd, a: 'b', ...npm, event: 'tool' },
      ],
    )
  })
})

/** Tells what it was started with, and ends in a way of its own when it is asked to. */
const FACTS = `const { pid, env } = process
const facts = { pid, args: process.argv.slice(2), cwd: process.cwd(), a: env.A ?? null }
process.on('SIGTERM', () => process.exit(7))
setInterval(() => {}, 1000)
console.log(JSON.stringify({ ...facts, event: env.npm_lifecycle_event, version: env.npm_package_version }))
`

/**
 * What `next build` makes of a project with one API route, as far as `next start` reads it. A build takes longer than all
 * of these tests, and what serves it is Next.js's own server all the same.
 */
const NEXT_BUILD = Object.fromEntries(
  Object.entries({
    BUILD_ID: 'test',
    'build-manifest.json': '{"pages": {"/_app": []}, "rootMainFiles": [], "polyfillFiles": [], "lowPriorityFiles": []}',
    'prerender-manifest.json': '{"version": 4, "routes": {}, "dynamicRoutes": {}, "notFoundRoutes": [], "preview": {}}',
    'required-server-files.json': '{"version": 1, "config": {"distDir": ".next"}, "files": [], "ignore": []}',
    'routes-manifest.json': JSON.stringify({
      version: 3,
      basePath: '',
      rewrites: { beforeFiles: [], afterFiles: [], fallback: [] },
      redirects: [],
      headers: [],
      onMatchHeaders: [],
      dynamicRoutes: [],
      staticRoutes: [{ page: '/api/pid', regex: '^/api/pid$', routeKeys: {}, namedRegex: '^/api/pid$' }],
      dataRoutes: [],
      rsc: {},
      rewriteHeaders: {},
    }),
    'static/.keep': '',
    'server/functions-config-manifest.json': '{"version": 1, "functions": {}}',
    'server/middleware-manifest.json': '{"version": 3, "middleware": {}, "sortedMiddleware": [], "functions": {}}',
    'server/next-font-manifest.json': '{"pages": {}, "app": {}}',
    'server/pages-manifest.json': '{"/api/pid": "pages/api/pid.js"}',
    'server/preview-props.json':
      '{"previewModeId": "0", "previewModeSigningKey": "0", "previewModeEncryptionKey": "0"}',
    'server/pages/api/pid.js': `exports.handler = (request, response) =>
  setTimeout(() => response.end(JSON.stringify({ pid: process.pid })), request.url.includes('slow') ? 200 : 0)`,
  }).map(([path, text]) => [`front/.next/${path}`, text]),
)
