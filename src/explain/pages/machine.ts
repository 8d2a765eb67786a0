import type { ProblemPage } from '../page.ts'

const gunicorn = (args: string, more = ''): string =>
  `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": ${args}${more}}}`
const HERE = 'prodserver check --here'

export const MACHINE_PAGES = {
  E501: {
    why: 'The program is not on `PATH`, as the process would have it.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "command", "APP": "cady run"}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "command", "APP": "sleep infinity"}}' },
  },
  E502: {
    why: 'The file is there, and the system does not run it: it is not executable, or has no line that says what runs it.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"proxy": {"BACKEND": "command", "APP": "./proxy.sh"}}',
      files: { 'proxy.sh': '#!/bin/sh\nexec sleep infinity\n' },
    },
    good: 'chmod +x proxy.sh',
  },
  E503: {
    why: 'A process cannot start in a folder that is not there.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "CWD": "var"}}' },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "CWD": "var"}}',
      files: { 'var/.gitkeep': '' },
    },
  },
  E504: {
    why: 'The system takes 128 KiB for one argument, and a few megabytes for all of them and the environment.',
    bad: { settings: gunicorn('{"name": "x" * 200_000}') },
    good: { settings: gunicorn('{"name": "web"}') },
  },
  E505: {
    why: 'A server that was to run as somebody else, or within limits, must not run as we are.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "USER": "nobody-of-that-name"}}',
      command: 'prodserver run web',
    },
    good: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}' },
  },
  E506: {
    why: 'systemd has opened sockets for a process, by their number. A program that replaces another keeps its number, and a new one does not have it.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}', command: 'prodserver run web' },
    good: 'Node 22.15 or newer, on Linux or macOS',
    needs: 'a system on which a process cannot be replaced',
    seen: `E506  LISTEN_FDS
      The sockets that systemd has opened cannot be handed on.`,
  },
  E507: {
    why: 'A server tries for seconds, gives up, and is started again and again. `run` and `up` ask before they start one; `check` only with `--here`, on the machine that it is for.',
    bad: { settings: gunicorn('{"bind": "127.0.0.1:8000"}'), command: HERE },
    good: { settings: gunicorn('{"bind": "127.0.0.1:8001"}'), command: HERE },
    needs: 'a port that somebody has',
    seen: `E507  PRODUCTION_PROCESSES["web"]
      gunicorn cannot listen on 127.0.0.1:8000: nginx: master process /usr/sbin/nginx (pid 812) listens there.
      → Look: ps -fp 812`,
  },
  W501: {
    why: 'Processes that are more than the processors can run take turns: each waits, and each takes its memory. `processors × 2 + 1` is the rule of thumb to begin with. What a container may use counts, and not what its host has.',
    bad: { settings: gunicorn('{"workers": 1000}'), command: HERE },
    good: { settings: gunicorn('{"workers": 3}'), command: HERE },
    varies: true,
  },
  W502: {
    why: 'Where memory is short, the system ends a process: often the database, or the largest worker in the middle of its work. The application is imported once, in a process of its own, and measured; what requests and tasks add is not in it.',
    bad: { settings: gunicorn('{"workers": 1_000_000}'), command: HERE },
    good: { settings: gunicorn('{"workers": 2}'), command: HERE },
    varies: true,
  },
  W503: {
    why: 'A connection is an open file. Beyond the limit connections fail with `Too many open files`, long after the start, under load.',
    bad: { settings: gunicorn('{"worker-class": "gevent", "worker-connections": 10_000_000}'), command: HERE },
    good: { settings: gunicorn('{"worker-class": "gevent", "worker-connections": 500}'), command: HERE },
    varies: true,
  },
  W504: {
    why: 'A file system that is full stops more than logs: the database on it, uploads, the next deployment.',
    bad: { settings: gunicorn('{"workers": 2}', ', "LOG": {"max_size": "1000T", "keep": 9}'), command: HERE },
    good: { settings: gunicorn('{"workers": 2}', ', "LOG": {"max_size": "10M", "keep": 9}'), command: HERE },
    varies: true,
  },
  W505: {
    why: 'The process reaches its `MEMORY_LIMIT` before its first request, and is restarted for ever.',
    bad: { settings: gunicorn('{"workers": 2}', ', "MEMORY_LIMIT": "20M"'), command: HERE },
    good: { settings: gunicorn('{"workers": 2}', ', "MEMORY_LIMIT": "1G"'), command: HERE },
    varies: true,
  },
  W506: {
    why: 'Less than 100 MiB are left, or no more files can be made. Servers do not start without a place for their logs.',
    bad: { settings: gunicorn('{"access-logfile": "/var/log/mysite/access.log"}'), command: HERE },
    good: 'df -h /var/log && journalctl --vacuum-size=200M',
    needs: 'a file system that is full',
    seen: `W506  PRODUCTION_PROCESSES["web"]["ARGS"]["access-logfile"]
      The file system of /var/log/mysite has 12M left.
      → Look: df -h /var/log/mysite`,
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
