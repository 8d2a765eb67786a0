import type { TestContext } from 'node:test'
import { createReferenceProject, readReference } from './reference.ts'
import { writeFiles } from './project.ts'

/** The reference's complete stack, as a project that says what it needs. */
export function createStack(t: TestContext): { readonly root: string; readonly settings: string } {
  const project = createReferenceProject(t, readReference('complete_stack'))
  writeFiles(project.root, { 'requirements.txt': 'Django\nuvicorn\ncelery\n' })
  return project
}

/** One of everything that can be declared, of which a container can do most. */
export const EVERYTHING = `
PRODUCTION_PROCESSES = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"},
    "static": {"BACKEND": "django-command", "APP": "collectstatic", "ARGS": {"noinput": True}, "RUN": "once"},
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": "0.0.0.0:8000", "workers": 4},
        "INSTANCES": 3,
        "DEPENDS_ON": ["static"],
        "READY": {"http": "/health/"},
        "ALIVE": {"http": "/health/", "interval": "20s"},
        "MEMORY_LIMIT": "1G",
        "LIMITS": {"nofile": 65536},
        "ENV": {"PRICE": "$5 \${X} $(Y)", "SECRET_TOKEN": "hush"},
        "RELOAD": "rolling",
    },
    "api": {
        "BACKEND": "waitress",
        "ARGS": {"port": 8001},
        "DEPENDS_ON": {"web": "ready", "worker": "started", "load": "completed"},
        "USER": 1234,
        "GROUP": 99,
    },
    "load": {"BACKEND": "django-command", "APP": "loaddata", "RUN": "once"},
    "worker": {
        "BACKEND": "celery-worker",
        "APP": "myproject.celery.app",
        "INSTANCES": 2,
        "RESTART": "on-failure",
        "STOP": {"timeout": "10m"},
    },
    "beat": {"BACKEND": "celery-beat", "APP": "myproject.celery.app", "RESTART": "never", "LOG": {"max_size": "1M"}},
    "clean_up": {"BACKEND": "django-command", "APP": "clearsessions", "SCHEDULE": "0 3 * * *", "TZ": "Europe/Berlin"},
}
`

/** A project that declares all of that. */
export const createEverything = (t: TestContext): { readonly root: string; readonly settings: string } =>
  createReferenceProject(t, EVERYTHING)
