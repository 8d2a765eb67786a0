/** Checked by the compiler: what a config file may and may not say. */
import type { ProcessInput as Checked } from '../../src/config/schema.ts'
import { type Config, defineConfig, type ProcessKeys } from '../../src/index.ts'

declare module '../../src/generated/declared.ts' {
  /** As a package with a backend of its own does it, there of the module `prodserver`. */
  interface BackendArgs {
    readonly caddy: { readonly adapter?: 'caddyfile' | 'json' }
  }
}

export const good: Config = {
  processes: {
    web: {
      backend: 'gunicorn',
      args: { workers: 4, bind: ['127.0.0.1:8000', 'unix:/run/web.sock'], preload: true, 'log-level': 'info' },
      ready: { http: '/health/', interval: '5s' },
      restart: { policy: 'on-failure', maxDelay: '1m' },
      dependsOn: { migrate: 'completed' },
    },
    byPath: { backend: 'django_prodserver.backends.gunicorn.GunicornServer', args: { workers: 4 } },
    migrate: { backend: 'django-command', app: 'migrate', run: 'release' },
    worker: { backend: 'celery-worker', app: 'mysite.celery.app', args: { queues: ['a', 'b'], loglevel: 'info' } },
    frontend: { backend: 'node', app: 'server.js', args: { port: 3000 }, env: { A: 1, B: null, C: undefined } },
    newer: { backend: 'uvicorn', args: { 'an-option-of-tomorrow': true } },
    module: { backend: './backends/caddy.ts', args: { any: 'thing' } },
    package: { backend: '@shop/prodserver-backend', args: { any: 'thing' } },
    registered: { backend: 'caddy', args: { adapter: 'json' } },
  },
  defaults: { env: { TZ: 'UTC' }, log: { maxSize: '10M' } },
}

void defineConfig(good)
void defineConfig(() => good)
void defineConfig(async () => good)

// @ts-expect-error there are no processes
void defineConfig({})

// @ts-expect-error a key is misspelt
void defineConfig({ processes: { web: { backend: 'gunicorn', instnaces: 2 } } })

// @ts-expect-error keys are in camel case
void defineConfig({ processes: { web: { backend: 'gunicorn', depends_on: 'db' } } })

// @ts-expect-error a process says what runs
void defineConfig({ processes: { web: { app: 'server.js' } } })

// @ts-expect-error there is no such backend
void defineConfig({ processes: { web: { backend: 'gunicron' } } })

// @ts-expect-error a switch takes no number
void defineConfig({ processes: { web: { backend: 'gunicorn', args: { preload: 1 } } } })

// @ts-expect-error an option with one value takes no list
void defineConfig({ processes: { web: { backend: 'gunicorn', args: { workers: [1, 2] } } } })

// @ts-expect-error an option takes no dictionary
void defineConfig({ processes: { web: { backend: 'node', args: { port: { number: 3000 } } } } })

// @ts-expect-error a backend of somebody else has options of its own
void defineConfig({ processes: { web: { backend: 'caddy', args: { adapter: 'yaml' } } } })

// @ts-expect-error there are three policies
void defineConfig({ processes: { web: { backend: 'gunicorn', restart: 'sometimes' } } })

// The types that are published, which are generated, say what the schema says that everything is checked by.
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<Exclude<T[Key], undefined>> }
    : T
type Generated = Plain<ProcessKeys>
type OfSchema = Plain<Omit<Checked, 'backend' | 'args'>>
export const takesAllOfSchema = (value: OfSchema): Generated => value
export const isTakenBySchema = (value: Generated): OfSchema => value
export const hasNoOtherKey = (key: keyof Generated): keyof OfSchema => key
