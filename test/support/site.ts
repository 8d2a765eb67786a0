import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { freePort, httpGet, type Reply, waitForHttp } from './net.ts'
import { createProject } from './project.ts'
import { type Running, startProdserver } from './running.ts'

export type Args = Readonly<Record<string, Json>>

/** What the application says of the process that answers. */
export interface Facts {
  readonly pid: number
  readonly parent: number
  readonly interface: 'wsgi' | 'asgi'
  readonly secure: boolean
  readonly client: string
}

interface Site {
  readonly root: string
  readonly port: number
  readonly running: Running
  /** The very first answer. */
  readonly first: Facts
  readonly get: (path: string) => Promise<Reply>
  readonly facts: (headers?: Record<string, string>) => Promise<Facts>
  /** Sends twice as many requests at once, of which so many must be answered at the same time; their threads. */
  readonly meet: (count: number) => Promise<ReadonlySet<number>>
  /** Sends two requests that can only be answered if they wait for each other on one event loop. */
  readonly meetInEventLoop: () => Promise<void>
  /** Ends it, and waits for its last words. */
  readonly stop: () => Promise<void>
}

/** A project whose web server runs, and answers. */
export async function serve(
  t: TestContext,
  backend: string,
  args: (place: { port: number; root: string }) => Args,
): Promise<Site> {
  const root = project(t)
  const port = await freePort()
  const running = run(t, root, backend, args({ port, root }))
  const first = await waitForHttp(running, { port })
  const get = (path: string, headers?: Record<string, string>): Promise<Reply> => httpGet({ port }, path, headers)
  const answers = async <T>(count: number, path: string): Promise<readonly T[]> => {
    const replies = await Promise.all(Array.from({ length: count }, () => get(path)))
    for (const { status, body } of replies) assert.equal(status, 200, `${body}\n${running.output()}`)
    return replies.map(({ body }) => JSON.parse(body) as T)
  }
  return {
    root,
    port,
    running,
    first: JSON.parse(first.body) as Facts,
    get,
    facts: async (headers) => JSON.parse((await get('/', headers)).body) as Facts,
    meet: async (count) => {
      const replies = await answers<{ thread: number }>(2 * count, `/meet/${count}/`)
      return new Set(replies.map(({ thread }) => thread))
    },
    meetInEventLoop: async () => {
      const [a, b] = await answers<{ loop: number; thread: number }>(2, '/meet-in-event-loop/')
      assert.deepEqual(a, b)
    },
    stop: async () => {
      running.signal('SIGTERM')
      await running.ended()
    },
  }
}

export const project = (t: TestContext): string =>
  createProject(t, {
    settings: 'import json, os\nPRODUCTION_PROCESSES = json.loads(os.environ["PROCESSES"])',
    files: { 'mysite/urls.py': URLS, 'mysite/wsgi.py': WSGI },
  })

export const run = (t: TestContext, root: string, backend: string, args: Args): Running =>
  startProdserver(t, ['run', 'web'], {
    cwd: root,
    // gunicorn's control socket belongs to the test, not into the home of whoever runs it.
    env: { PROCESSES: JSON.stringify({ web: { BACKEND: backend, ARGS: args } }), XDG_RUNTIME_DIR: root },
  })

const URLS = `
import asyncio
import os
import threading
import time

from django.http import JsonResponse
from django.urls import path

barriers = {}
waiting = []


def facts(request):
    return JsonResponse(
        {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "interface": "asgi" if hasattr(request, "scope") else "wsgi",
            "secure": request.is_secure(),
            "client": request.META.get("REMOTE_ADDR"),
        }
    )


def meet(request, count):
    barriers.setdefault(count, threading.Barrier(count)).wait(timeout=15)
    return JsonResponse({"thread": threading.get_ident()})


async def meet_in_event_loop(request):
    loop = asyncio.get_running_loop()
    waiting.append(loop.create_future())
    if len(waiting) == 2:
        # Nothing wakes a loop of another thread.
        for future in waiting:
            future.set_result(None)
    await asyncio.wait_for(waiting[0], 15)
    return JsonResponse({"loop": id(loop), "thread": threading.get_ident()})


def hang(request):
    time.sleep(600)


def sleep(request, seconds):
    print("asleep", flush=True)
    time.sleep(seconds)
    return JsonResponse({})


urlpatterns = [
    path("", facts),
    path("meet/<int:count>/", meet),
    path("meet-in-event-loop/", meet_in_event_loop),
    path("hang/", hang),
    path("sleep/<int:seconds>/", sleep),
]
`

/** Django answers exceptions of views by itself; this one reaches the server. */
const WSGI = `
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django = get_wsgi_application()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/broken-application/":
        1 / 0
    return django(environ, start_response)
`
