import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'

export const SUPERVISOR_PAGES = {
  E601: {
    why: 'The command asks the supervisor of this project, and there is none.',
    bad: { settings: WEB, command: 'prodserver stop web' },
    good: 'prodserver up -d',
  },
  E602: {
    why: 'Somebody listens at the socket of the supervisor, or did, and does not answer as one.',
    bad: { settings: WEB, command: 'prodserver ps' },
    good: 'prodserver down && prodserver up -d',
    needs: 'a supervisor that ends while it is asked',
    seen: `E602  /home/shop/.local/state/prodserver/mysite-4f1d2c3a/control.sock
      The supervisor ended before it answered.`,
  },
  E603: {
    why: 'What runs, its logs and its secrets are kept there: it must be a folder of your own.',
    bad: { settings: WEB, command: 'PRODSERVER_STATE_DIR=manage.py prodserver up -d' },
    good: 'PRODSERVER_STATE_DIR=/var/lib/mysite prodserver up -d',
  },
  E604: {
    why: 'Two supervisors of one project would each start everything.',
    bad: { settings: WEB, command: 'prodserver up -d' },
    good: 'prodserver ps',
    needs: 'two of them at the same moment',
    seen: `E604  /home/shop/.local/state/prodserver/mysite-4f1d2c3a
      Another \`prodserver up\` was first, and supervises this project.
      → Look: prodserver ps`,
  },
  E605: {
    why: 'That nothing is left behind, and no line of a log is lost, rests on what only Linux has. `run` works everywhere.',
    bad: { settings: WEB, command: 'prodserver up' },
    good: 'prodserver run web',
    needs: 'another system than Linux',
    seen: `E605  prodserver up
      Supervising needs Linux, and this is darwin.
      → Start each: prodserver run NAME`,
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
