import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Load, type LoadOptions, type LoadTarget, startLoad } from './load.ts'
import { createSupervised, type Supervised, type SupervisedFiles } from './supervised.ts'

/** A supervised project, each of whose answers names the version of the code that gave it. */
export interface Versioned extends Supervised {
  /** Puts another version in the place of the code; with Python of its own, where it is to do more. */
  readonly deploy: (version: number, python?: string) => void
  /** Deploys a version and reloads to it. From then on no older version may answer. */
  readonly reloadTo: (version: number, selector?: string) => Promise<void>
  /** From now on no answer may be older. */
  readonly serves: (version: number) => void
  /** A steady load, in which an answer of any version but the one that serves and the one that is deployed has failed. */
  readonly load: (target: LoadTarget, options?: LoadOptions) => Load
}

export function createVersioned(t: TestContext, files: SupervisedFiles): Versioned {
  const site = createSupervised(t, {
    ...files,
    settings: `WSGI_APPLICATION = "site_app.wsgi"\nASGI_APPLICATION = "site_app.asgi"\n${files.settings ?? ''}`,
    files: { ...files.files, 'site_app.py': code(0) },
  })
  const allowed = { oldest: 0, newest: 0 }
  const deploy: Versioned['deploy'] = (version, python) => {
    writeFileSync(join(site.root, 'site_app.py'), code(version, python))
    allowed.newest = version
  }
  return {
    ...site,
    deploy,
    reloadTo: async (version, selector = 'web') => {
      deploy(version)
      const { code, stderr } = await site.cli('reload', selector)
      assert.equal(code, 0, stderr)
      allowed.oldest = version
    },
    serves: (version) => (allowed.oldest = version),
    load: (target, options) => startVersionedLoad(t, allowed, { ...target, ...options }),
  }
}

/** Starts a steady load until the end of the test. An answer fails if its version is not allowed. */
export function startVersionedLoad(
  t: TestContext,
  allowed: { readonly oldest: number; readonly newest: number },
  options: LoadTarget & LoadOptions,
): Load {
  const load = startLoad({
    fresh: 4,
    keepAlive: 4,
    paths: ['/', '/', '/', '/', '/', '/', '/slow'],
    pauseMs: 30,
    expect: () => {
      const { oldest } = allowed
      return (answer) => {
        const version = Number(/"version": ?(\d+)/.exec(answer)?.[1])
        const isAllowed = version >= oldest && version <= allowed.newest
        return isAllowed ? undefined : `version ${version}, not ${oldest}..${allowed.newest}`
      }
    },
    ...options,
  })
  t.after(load.stop)
  return load
}

/** An application for both interfaces; `/slow` takes 200 ms. */
const code = (version: number, python = ''): string => `
import asyncio
import json
import os
import time

VERSION = ${version}
STATUS = 200
${python}


def answer():
    return json.dumps({"pid": os.getpid(), "version": VERSION}).encode()


def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.2)
    body = answer()
    start_response("%d Said" % STATUS, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/slow":
        await asyncio.sleep(0.2)
    body = answer()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": STATUS, "headers": headers})
    await send({"type": "http.response.body", "body": body})
`
