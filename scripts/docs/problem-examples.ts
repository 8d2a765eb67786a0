import type { ProblemId } from '../../src/errors.ts'

/** What each check finds, and what it is content with. Those that are not here say it in their meaning. */
export const PROBLEM_EXAMPLES: Readonly<Partial<Record<ProblemId, readonly [bad: string, good: string]>>> = {
  E112: [
    'PRODSERVER_WEB_1_NICE=5, with processes "web-1" and "web_1"',
    '--set web-1.NICE=5, or names that differ in more than a dash',
  ],
  E211: ['export default { contract: 2, … }', 'export default { contract: 1, … } satisfies Backend'],
  E301: ['"ARGS": {"bind": {"host": "0.0.0.0"}}', '"ARGS": {"bind": "0.0.0.0:8000"}'],
  E302: ['"ARGS": {"--workers": 4}', '"ARGS": {"workers": 4}'],
  E303: ['"ARGS": {"wrokers": 4}', '"ARGS": {"workers": 4}'],
  E304: ['"ARGS": {"workers": "four"}', '"ARGS": {"workers": 4}'],
  E305: ['"ARGS": {"loop": "uvloop"}  # uvloop is not installed', 'pip install uvloop'],
  E306: ['"ARGS": {"certfile": "/etc/tls/old.pem"}', '"ARGS": {"certfile": "/etc/tls/shop.pem"}'],
  E307: ['"ARGS": {"access-logfile": "logs/access.log"}  # no folder logs', '"ARGS": {"access-logfile": "-"}'],
  E401: [
    '"web": {"bind": "0.0.0.0:8000"}, "api": {"bind": "127.0.0.1:8000"}',
    '"web": {"bind": "0.0.0.0:8000"}, "api": {"bind": "127.0.0.1:8001"}',
  ],
  E402: ['"beat": {"BACKEND": "celery-beat", "INSTANCES": 2}', '"beat": {"BACKEND": "celery-beat"}'],
  E403: ['"INSTANCES": 2, "ARGS": {"pidfile": "worker.pid"}', '"INSTANCES": 2'],
  E507: ['"ARGS": {"bind": "127.0.0.1:5432"}  # PostgreSQL is there', '"ARGS": {"bind": "127.0.0.1:8000"}'],
  E701: ['DEBUG = True', 'DEBUG = False'],
  E702: ['ALLOWED_HOSTS = []', 'ALLOWED_HOSTS = ["shop.example.com"]'],
  E705: ['no process that migrates', '"migrate": {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"}'],
  W101: ['PRODSERVER_WEB_ARG_WORKERS=8', 'PRODSERVER_WEB_ARGS_WORKERS=8'],
  W301: ['"BACKEND": "django-tasks", "ARGS": {"threads": 4}', '"BACKEND": "django-tasks", "INSTANCES": 4'],
  W302: ['"BACKEND": "granian-asgi", "ARGS": {"threads": 4}', '"ARGS": {"runtime-threads": 4}'],
  W304: ['"ARGS": {"w": 2, "workers": 4}', '"ARGS": {"workers": 4}'],
  W702: ['SQLite, and "INSTANCES": 4', 'PostgreSQL'],
  W703: ['no STATIC_ROOT', 'STATIC_ROOT = BASE_DIR / "static", and a process that runs collectstatic'],
  E802: ['"ARGS": {"bind": "127.0.0.1:8000"}', '"ARGS": {"bind": "0.0.0.0:8000"}'],
  W705: ['"ARGS": {"reload": True}', 'prodserver reload'],
  W706: ['"ENV": {"API_TOKEN": "8f2c…"}', '"ENV": {"API_TOKEN": os.environ["API_TOKEN"]}'],
  W707: [
    'app.conf.beat_schedule = {…}, and only workers',
    '"beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"}',
  ],
  W708: ['task_routes = {"mail.*": "mail"}, and "queues": "default"', '"queues": ["default", "mail"]'],
}
