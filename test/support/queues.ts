import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { cleanEnv, PYTHON } from './environment.ts'
import type { Recorded } from './example.ts'
import { createProject } from './project.ts'
import { run, type StartOptions, waitUntil } from './running.ts'

/** A project that has every task library, all of them on one Redis, and Procrastinate on a PostgreSQL if there is one. */
export interface Queues extends StartOptions {
  readonly cwd: string
  /** Gives work: `[library, queue, text]`. A text that begins with "hold" takes until `release`. */
  readonly send: (...work: readonly (readonly [library: string, queue: string, text: string])[]) => Promise<void>
  readonly recorded: () => readonly Recorded[]
  /** Waits for the line of one text. */
  readonly record: (text: string, more?: () => string) => Promise<Recorded>
  /** Lets the work with that text end. */
  readonly release: (text: string) => void
  readonly manage: (...args: readonly string[]) => Promise<string>
}

interface QueuesFiles {
  readonly processes: Readonly<Record<string, Json>>
  readonly redis: string
  readonly postgres?: string | undefined
  readonly settings?: string
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

export function useQueues(
  t: TestContext,
  { processes, redis, postgres, settings = '', files, env }: QueuesFiles,
): Queues {
  const data = mkdtempSync(join(tmpdir(), 'prodserver-queues-'))
  t.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 3 }))
  const declared = `import json\nPRODUCTION_PROCESSES = json.loads(r'''${JSON.stringify(processes)}''')\n`
  const cwd = createProject(t, { settings: SETTINGS + settings + declared, files: { ...FILES, ...files } })
  const options = {
    cwd,
    env: {
      DATA_FOLDER: data,
      REDIS_URL: redis,
      ...(postgres && { DATABASE_URL: postgres }),
      // The interpreter takes what it has compiled of a file of the same second and size for the same file.
      PYTHONDONTWRITEBYTECODE: '1',
      ...env,
    },
  }
  const recorded = (): readonly Recorded[] => {
    const file = join(data, 'record.txt')
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    return [...text.matchAll(/^(.*) pid=(\d+)\n/gm)].map(([, text = '', pid]) => ({ text, pid: Number(pid) }))
  }
  const manage = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(t, PYTHON, ['manage.py', ...args], options)
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}.\n${stdout}${stderr}`)
    return stdout
  }
  return {
    ...options,
    manage,
    recorded,
    send: sender(t, options),
    record: (text, more = () => '') =>
      waitUntil(
        () => recorded().find((one) => one.text === text),
        30_000,
        () => `No ${text} among ${JSON.stringify(recorded())}.\n${more()}`,
      ),
    release: (text) => writeFileSync(join(data, text), ''),
  }
}

/** One interpreter gives all the work of a test: its start is what takes time. */
function sender(t: TestContext, { cwd, env }: StartOptions): Queues['send'] {
  let child: ChildProcessWithoutNullStreams | undefined
  let answers: AsyncIterator<string> | undefined
  let errors = ''
  t.after(() => child?.kill('SIGKILL'))
  return async (...work) => {
    if (!child || !answers) {
      child = spawn(PYTHON, ['manage.py', 'send'], { cwd, env: cleanEnv(env) })
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
      answers = createInterface(child.stdout)[Symbol.asyncIterator]()
    }
    for (const one of work) {
      child.stdin.write(`${one.join(':')}\n`)
      assert.equal((await answers.next()).value, 'sent', errors)
    }
  }
}

const SETTINGS = `
import os
from urllib.parse import unquote, urlsplit

INSTALLED_APPS += ["mysite", "django_rq", "django_dramatiq", "huey.contrib.djhuey", "channels"]
REDIS_URL = os.environ["REDIS_URL"]
RQ_QUEUES = {name: {"URL": REDIS_URL} for name in ["default", "mail", "news"]}
DRAMATIQ_BROKER = {
    "BROKER": "dramatiq.brokers.redis.RedisBroker",
    "OPTIONS": {"url": REDIS_URL, "namespace": "django"},
    "MIDDLEWARE": ["dramatiq.middleware.AgeLimit", "dramatiq.middleware.Callbacks"],
}
HUEY = {"huey_class": "huey.RedisHuey", "name": "mysite", "connection": {"url": REDIS_URL}, "immediate": False}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # It waits five seconds for a message, and the client's default is not to wait that long for an answer.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
    }
}
ASGI_APPLICATION = "mysite.asgi.application"
if "DATABASE_URL" in os.environ:
    url = urlsplit(os.environ["DATABASE_URL"])
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path[1:]),
        "USER": url.username,
        "PASSWORD": unquote(url.password),
        "HOST": url.hostname,
        "PORT": url.port,
    }
    INSTALLED_APPS += ["procrastinate.contrib.django"]
# What some of them say of themselves goes to Django's loggers.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        "procrastinate": {"handlers": ["stderr"], "level": "INFO"},
        "django.channels": {"handlers": ["stderr"], "level": "INFO"},
    },
}
`

const FILES: Readonly<Record<string, string>> = {
  // What is done, without a library: RQ's own worker knows nothing of Django.
  'mysite/work.py': `
import os
import time
from pathlib import Path

FOLDER = Path(os.environ["DATA_FOLDER"])


def record(text):
    # One write in append mode: lines of several workers never mix.
    with open(FOLDER / "record.txt", "a") as file:
        file.write(f"{text} pid={os.getpid()}\\n")


def work(text):
    if text.startswith("hold"):
        record(f"{text} started")
        while not (FOLDER / text).exists():
            time.sleep(0.02)
    record(text)
`,
  'mysite/tasks.py': `
import dramatiq
from django.conf import settings
from huey import crontab
from huey.contrib.djhuey import periodic_task, task

from .work import work

# A name that a worker does not take must be known to the broker.
in_dramatiq = {
    queue: dramatiq.actor(work, actor_name=f"work_{queue}", queue_name=queue) for queue in ["default", "mail", "news"]
}
in_huey = task()(work)


@periodic_task(crontab(month="1", day="1", hour="0", minute="0"))
def yearly():
    pass



if "procrastinate.contrib.django" in settings.INSTALLED_APPS:
    from procrastinate.contrib.django import app

    in_procrastinate = app.task(work, name="work", queue="news")
`,
  'mysite/plain.py': `
import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from mysite.work import work

broker = RedisBroker(url=os.environ["REDIS_URL"], namespace="plain", middleware=[])
dramatiq.set_broker(broker)
in_dramatiq = {queue: dramatiq.actor(work, actor_name=f"work_{queue}", queue_name=queue) for queue in ["default", "mail"]}
`,
  'mysite/asgi.py': `
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application = get_asgi_application()

from channels.consumer import SyncConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter

from mysite.work import work


class Worker(SyncConsumer):
    def work(self, message):
        work(message["text"])


application = ProtocolTypeRouter(
    {"http": django_application, "channel": ChannelNameRouter({"default": Worker.as_asgi(), "mail": Worker.as_asgi()})}
)
`,
  'mysite/management/__init__.py': '',
  'mysite/management/commands/__init__.py': '',
  'mysite/management/commands/send.py': `
import sys

from django.core.management.base import BaseCommand

from mysite.work import work


def rq(queue, text):
    import django_rq

    django_rq.get_queue(queue).enqueue(work, text)


def dramatiq(queue, text):
    from mysite.tasks import in_dramatiq

    in_dramatiq[queue].send(text)


def plain_dramatiq(queue, text):
    from mysite.plain import in_dramatiq

    in_dramatiq[queue].send(text)


def huey(queue, text):
    from mysite.tasks import in_huey

    in_huey(text)


def procrastinate(queue, text):
    from mysite.tasks import in_procrastinate

    in_procrastinate.configure(queue=queue).defer(text=text)


def channels(queue, text):
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer

    async_to_sync(get_channel_layer().send)(queue, {"type": "work", "text": text})


class Command(BaseCommand):
    def handle(self, **options):
        for line in sys.stdin:
            library, queue, text = line.rstrip("\\n").split(":")
            globals()[library](queue, text)
            print("sent", flush=True)
`,
}
