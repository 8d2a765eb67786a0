import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exit } from '../control/protocol.ts'
import { permanentFailure, describeExit, type ExitContext } from './diagnose.ts'

const exit = (code: number): Exit => ({ code, signal: null })
const killed = (signal: string): Exit => ({ code: null, signal })

const descriptions: readonly (readonly [words: string, exit: Exit, context?: Partial<ExitContext>])[] = [
  ['exit 0', exit(0)],
  ['exit 1', exit(1)],
  ['ended while prodserver was not there to see how', { code: null, signal: null }],
  ['killed by SIGKILL (not by prodserver; the system may have been out of memory)', killed('SIGKILL')],
  ['killed by SIGKILL: out of memory', killed('SIGKILL'), { oomKilled: true }],
  ['killed by SIGKILL', killed('SIGKILL'), { askedToStop: true }],
  ['killed by SIGTERM (not by prodserver)', killed('SIGTERM')],
  ['stopped by SIGTERM', killed('SIGTERM'), { title: 'uvicorn', askedToStop: true }],
  ['crashed with SIGSEGV: a fault in compiled code', killed('SIGSEGV')],
  ['exit 3: a gunicorn worker could not start', exit(3), { title: 'gunicorn' }],
  ['exit 4: gunicorn could not load the application', exit(4), { title: 'gunicorn' }],
  ['exit 3', exit(3), { title: 'granian' }],
  ['exit 3: the startup of uvicorn failed', exit(3), { title: 'uvicorn' }],
  [
    'exit 3: uvicorn could not load the application',
    exit(3),
    {
      title: 'uvicorn',
      lastLines: ['ERROR:    Error loading ASGI app. Attribute "nope" not found in module "a.asgi".'],
    },
  ],
  [
    'exit 0: waitress could not import the application',
    exit(0),
    { title: 'waitress', lastLines: ['There was an exception (ModuleNotFoundError) importing your module.'] },
  ],
  ['exit 69: no answer from the broker or from a worker', exit(69), { title: 'celery worker' }],
  [
    'exit 2: celery could not load the application',
    exit(2),
    { title: 'celery beat', lastLines: ['Usage: python -m celery [OPTIONS]', 'Unable to load celery application.'] },
  ],
  ['exit 2: it refused its command line', exit(2), { title: 'gunicorn', lastLines: ['usage: gunicorn [OPTIONS]'] }],
  ['exit 2', exit(2), { title: 'gunicorn' }],
  ['exit 126: its program may not be executed', exit(126)],
  ['exit 127: its program, or one that it needs, was not found', exit(127)],
  ['exit 137: a program that it ran was killed by SIGKILL', exit(137)],
  ['exit 143', exit(143), { askedToStop: true }],
  ['exit 1', exit(1), { title: 'granian', askedToStop: true }],
]

for (const [words, ended, context] of descriptions) {
  test(`${JSON.stringify({ ...ended, ...context })} is described as: ${words}`, () => {
    assert.equal(describeExit(ended, { title: 'command', lastLines: [], ...context }), words)
  })
}

const MISSING = `  File "<frozen importlib._bootstrap>", line 241, in _call_with_frames_removed
  File "/srv/site/wsgi.py", line 1, in <module>
    import nowhere_to_be_found
ModuleNotFoundError: No module named 'nowhere_to_be_found'`
const MISSING_SENTENCE =
  "A module cannot be imported: ModuleNotFoundError: No module named 'nowhere_to_be_found' (/srv/site/wsgi.py, line 1)."
const WARNING = `/srv/lib/django_q/conf.py:180: UserWarning: Retry and timeout are misconfigured. Set retry larger than timeout,
  warn(`

/** What servers really wrote, in the versions of the test environment; only paths were shortened. */
const certain: readonly (readonly [title: string, code: number, output: string, sentence: string])[] = [
  [
    'gunicorn, a package that is not installed',
    3,
    `${MISSING}
No module named 'nowhere_to_be_found'
[2026-11-24 02:09:22 +0000] [26879] [INFO] Worker exiting (pid: 26879)
[2026-11-24 02:09:22 +0000] [26868] [ERROR] Worker (pid:26879) exited with code 3.
[2026-11-24 02:09:22 +0000] [26868] [ERROR] Shutting down: Master
[2026-11-24 02:09:22 +0000] [26868] [ERROR] Reason: Worker failed to boot.`,
    MISSING_SENTENCE,
  ],
  ['uvicorn, a package that is not installed', 1, MISSING, MISSING_SENTENCE],
  [
    'granian, a package that is not installed',
    1,
    `RuntimeError: While importing 'site_.missing', an ImportError was raised:

Traceback (most recent call last):
  File "/srv/lib/granian/_internal.py", line 47, in load_module
    __import__(module_name)
${MISSING}

[ERROR] Unexpected exit from worker-1
[INFO] Shutting down granian
[INFO] Stopped worker-1
[INFO] Granian shutdown completed, see ya!`,
    MISSING_SENTENCE,
  ],
  [
    'waitress, which ends with 0 then, and prints its help',
    0,
    `        processed. Default is 0.
    --asyncore-loop-timeout=INT
        The timeout value in seconds passed to asyncore.loop(). Default is 1.


There was an exception (ModuleNotFoundError) importing your module.

It had these arguments: 
1. No module named 'nowhere_to_be_found'
`,
    "The application cannot be imported: No module named 'nowhere_to_be_found'.",
  ],
  [
    'celery, a package that is not installed',
    2,
    `Usage: python -m celery [OPTIONS] [COMMAND] [ARGS]...
Try 'python -m celery --help' for help.

Error: 
Unable to load celery application.
While trying to load the module site_.missing the following error occurred:
Traceback (most recent call last):
${MISSING}
`,
    MISSING_SENTENCE,
  ],
  [
    'celery, no such application',
    2,
    'Error: \nUnable to load celery application.\nThe module nope was not found.',
    'The application cannot be loaded: The module nope was not found.',
  ],
  [
    'uvicorn, an error of syntax',
    1,
    `  File "/srv/site/syntax.py", line 1
    def application(:
                    ^
SyntaxError: invalid syntax`,
    'The code has an error of syntax: SyntaxError: invalid syntax (/srv/site/syntax.py, line 1).',
  ],
  [
    'waitress, a name that is not defined',
    1,
    `  File "/srv/site/name.py", line 1, in <module>
    application = undefined_name
                  ^^^^^^^^^^^^^^
NameError: name 'undefined_name' is not defined`,
    "The code uses a name that is not defined: NameError: name 'undefined_name' is not defined (/srv/site/name.py, line 1).",
  ],
  [
    'granian, an application that is not there',
    1,
    `${WARNING}
  File "/srv/lib/granian/_internal.py", line 68, in load_target
    rv = getattr(rv, element)
         ^^^^^^^^^^^^^^^^^^^^
AttributeError: module 'site_.wsgi' has no attribute 'nope'
[ERROR] Unexpected exit from worker-1`,
    "The code uses a name that is not defined: AttributeError: module 'site_.wsgi' has no attribute 'nope' (/srv/lib/granian/_internal.py, line 68).",
  ],
  [
    'granian, a module that is not there',
    1,
    "RuntimeError: Could not import 'nope.wsgi'.\n[ERROR] Unexpected exit from worker-1\n[INFO] Shutting down granian",
    "The application cannot be imported: RuntimeError: Could not import 'nope.wsgi'.",
  ],
  [
    'gunicorn, an application that is not there',
    4,
    `${WARNING}
Failed to find attribute 'nope' in 'site_.wsgi'.
[2026-11-23 20:09:25 -0600] [27100] [INFO] Worker exiting (pid: 27100)
[2026-11-24 02:09:25 +0000] [27099] [ERROR] Reason: App failed to load.`,
    "The application cannot be loaded: Failed to find attribute 'nope' in 'site_.wsgi'.",
  ],
  [
    'uvicorn, an application that is not there',
    3,
    `${WARNING}\nERROR:    Error loading ASGI app. Attribute "nope" not found in module "site_.asgi".`,
    'The application cannot be loaded: Error loading ASGI app. Attribute "nope" not found in module "site_.asgi".',
  ],
  [
    'settings that are wrong',
    3,
    `  File "/srv/site/improper.py", line 2, in <module>
    raise ImproperlyConfigured("The SECRET_KEY setting must not be empty.")
django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.
The SECRET_KEY setting must not be empty.
[2026-11-24 02:09:24 +0000] [26958] [ERROR] Reason: Worker failed to boot.`,
    'The settings are wrong: django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty. (/srv/site/improper.py, line 2).',
  ],
  [
    'gunicorn, a port that is taken',
    1,
    `[2026-11-24 02:09:31 +0000] [27143] [ERROR] Connection in use: ('127.0.0.1', 28766)
[2026-11-24 02:09:31 +0000] [27143] [ERROR] connection to ('127.0.0.1', 28766) failed: [Errno 98] Address already in use
[2026-11-24 02:09:32 +0000] [27143] [ERROR] Can't connect to ('127.0.0.1', 28766)`,
    "Its address is in use: connection to ('127.0.0.1', 28766) failed: [Errno 98] Address already in use.",
  ],
  [
    'uvicorn, a port that is taken',
    3,
    `INFO:     Application startup complete.
ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 28766): address already in use`,
    "Its address is in use: [Errno 98] error while attempting to bind on address ('127.0.0.1', 28766): address already in use.",
  ],
  [
    'granian, a port that is taken',
    1,
    `RuntimeError: Address already in use (os error 98)

Stack backtrace:
  53: __libc_start_main_impl
             at ./csu/../csu/libc-start.c:360:3
  54: _start`,
    'Its address is in use: RuntimeError: Address already in use (os error 98).',
  ],
  [
    'waitress, a port that is taken',
    1,
    '  File "/srv/lib/waitress/wasyncore.py", line 374, in bind\nOSError: [Errno 98] Address already in use',
    'Its address is in use: OSError: [Errno 98] Address already in use (/srv/lib/waitress/wasyncore.py, line 374).',
  ],
  [
    'Node, a port that is taken',
    1,
    `Error: listen EADDRINUSE: address already in use 127.0.0.1:28766
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:2416:8)
  code: 'EADDRINUSE',
  syscall: 'listen'`,
    'Its address is in use: Error: listen EADDRINUSE: address already in use 127.0.0.1:28766.',
  ],
  [
    'waitress, a port that needs rights',
    1,
    `    self.bind(sockaddr)
  File "/srv/lib/waitress/wasyncore.py", line 374, in bind
    return self.socket.bind(addr)
           ^^^^^^^^^^^^^^^^^^^^^^
PermissionError: [Errno 13] Permission denied`,
    'It may not listen on its address: PermissionError: [Errno 13] Permission denied (/srv/lib/waitress/wasyncore.py, line 374).',
  ],
  [
    'gunicorn, a port that needs rights',
    1,
    `[2026-11-24 02:16:06 +0000] [29287] [ERROR] connection to ('127.0.0.1', 80) failed: [Errno 13] Permission denied
[2026-11-24 02:16:07 +0000] [29287] [ERROR] Can't connect to ('127.0.0.1', 80)`,
    "It may not listen on its address: connection to ('127.0.0.1', 80) failed: [Errno 13] Permission denied.",
  ],
  [
    'uvicorn, a port that needs rights',
    3,
    "ERROR:    [Errno 13] error while attempting to bind on address ('127.0.0.1', 80): permission denied",
    "It may not listen on its address: [Errno 13] error while attempting to bind on address ('127.0.0.1', 80): permission denied.",
  ],
  [
    'granian, a port that needs rights',
    1,
    '    super()._init_shared_socket()\nRuntimeError: Permission denied (os error 13)\n\nStack backtrace:',
    'It may not listen on its address: RuntimeError: Permission denied (os error 13).',
  ],
  [
    'gunicorn, an option that it does not have',
    2,
    'usage: gunicorn [OPTIONS] [APP_MODULE]\ngunicorn: error: unrecognized arguments: --no-such-option',
    'It does not take its command line: gunicorn: error: unrecognized arguments: --no-such-option.',
  ],
  [
    'django-q2, an option that it does not have',
    2,
    `${WARNING}
usage: manage.py qcluster [-h] [--run-once] [-n CLUSTER_NAME] [--version]
                          [--force-color] [--skip-checks]
manage.py qcluster: error: unrecognized arguments: --no-such-option`,
    'It does not take its command line: manage.py qcluster: error: unrecognized arguments: --no-such-option.',
  ],
  [
    'uvicorn, granian and celery, an option that they do not have',
    2,
    "Usage: python -m celery worker [OPTIONS]\nTry 'python -m celery worker --help' for help.\n\nError: No such option '--no-such-option'.",
    "It does not take its command line: Error: No such option '--no-such-option'.",
  ],
  [
    'waitress, an option that it does not have',
    0,
    'Error: option --nope not recognized\n\nUsage:\n\n    __main__.py [OPTS] MODULE:OBJECT',
    'It does not take its command line: Error: option --nope not recognized.',
  ],
  [
    'Node, an option that it does not have',
    9,
    'node: bad option: --no-such-flag',
    'It does not take its command line: node: bad option: --no-such-flag.',
  ],
  [
    'gunicorn, a worker class that is not there',
    1,
    `Error: class uri 'nope' invalid or not found: 

[Traceback (most recent call last):
  File "/srv/lib/gunicorn/util.py", line 84, in load_entry_point
    raise ImportError("Entry point %r not found" % ((group, name),))
ImportError: Entry point ('gunicorn.workers', 'nope') not found
]`,
    "A module cannot be imported: ImportError: Entry point ('gunicorn.workers', 'nope') not found (/srv/lib/gunicorn/util.py, line 84).",
  ],
  [
    'a management command that is not there',
    1,
    "Unknown command: 'no_such_command'\nType 'manage.py help' for usage.",
    "There is no such management command: Unknown command: 'no_such_command'.",
  ],
  [
    'a module that is not there',
    1,
    '/srv/bin/python: No module named nomodule',
    'A module cannot be imported: /srv/bin/python: No module named nomodule.',
  ],
  [
    'a script that is not there',
    2,
    "/srv/bin/python: can't open file '/srv/nofile.py': [Errno 2] No such file or directory",
    "The program does not exist: /srv/bin/python: can't open file '/srv/nofile.py': [Errno 2] No such file or directory.",
  ],
  [
    'Node, a script that is not there',
    1,
    `Error: Cannot find module '/srv/nofile.mjs'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1564:15)
  code: 'MODULE_NOT_FOUND',

Node.js v24.21.0`,
    "A module cannot be imported: Error: Cannot find module '/srv/nofile.mjs'.",
  ],
  [
    'Node, a package that is not installed',
    1,
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package' imported from /srv/a.mjs",
    "A module cannot be imported: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package' imported from /srv/a.mjs.",
  ],
  [
    'a shell',
    127,
    'sh: 1: exec: nosuchprogram: not found',
    'A program was not found: sh: 1: exec: nosuchprogram: not found.',
  ],
  [
    'a shell',
    126,
    'sh: 1: /srv/bin/python: Permission denied',
    'Its program may not be executed: sh: 1: /srv/bin/python: Permission denied.',
  ],
]

for (const [title, code, output, sentence] of certain) {
  test(`it is certain to fail again: ${title}`, () => {
    assert.equal(permanentFailure(exit(code), output.split('\n')), sentence)
  })
}

const uncertain: readonly (readonly [title: string, exit: Exit, output: string])[] = [
  [
    'gunicorn, something that is not up yet',
    exit(3),
    `ConnectionRefusedError: [Errno 111] Connection refused
[Errno 111] Connection refused
[2026-11-24 02:09:24 +0000] [27036] [ERROR] Reason: Worker failed to boot.`,
  ],
  [
    'a database that is not there',
    exit(3),
    'django.db.utils.OperationalError: unable to open database file\nunable to open database file',
  ],
  [
    'django-tasks, a table that a migration will make',
    exit(1),
    'django.db.utils.OperationalError: no such table: django_tasks_database_dbtaskresult',
  ],
  [
    'django-q2',
    exit(1),
    'RuntimeError: Q Cluster three-berlin-eight-twelve failed to start: sentinel exited with code 1',
  ],
  [
    'celery, a broker that is not up',
    exit(1),
    '[2026-11-24 02:09:38,636: CRITICAL/MainProcess] Retrying to establish a connection to the message broker after a connection loss has been disabled (app.conf.broker_connection_retry_on_startup=False).',
  ],
  [
    'celery inspect, a broker that is not up',
    exit(69),
    'Error: Could not connect to the message broker. Reason: Error 111 connecting to 127.0.0.1:1. ',
  ],
  [
    'uvicorn, a startup that the application refuses',
    exit(3),
    'INFO:     Waiting for application startup.\nERROR:    database is not there\nERROR:    Application startup failed. Exiting.',
  ],
  [
    'settings that are wrong because something is not up',
    exit(1),
    `ConnectionRefusedError: [Errno 111] Connection refused
During handling of the above exception, another exception occurred:
django.core.exceptions.ImproperlyConfigured: no secrets`,
  ],
  ['an import that failed and was survived', exit(1), `${MISSING}\nTraceback (most recent call last):\nValueError: 3`],
  ['a name in what it writes', exit(1), 'the article about ModuleNotFoundError is stored'],
  ['a signal', killed('SIGKILL'), MISSING],
  ['an end that nobody saw', { code: null, signal: null }, MISSING],
  ['nothing written', exit(1), ''],
  ['nothing wrong', exit(0), 'done'],
]

for (const [title, ended, output] of uncertain) {
  test(`it may work the next time: ${title}`, () => {
    assert.equal(permanentFailure(ended, output.split('\n')), null)
  })
}
