import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'

export const DECLARATION_PAGES = {
  E101: {
    why: 'The settings that were read declare no process. Often they are not the ones that were meant.',
    bad: {},
    good: { settings: WEB },
  },
  E102: {
    why: 'Each process has a name, by which it is started, watched and logged.',
    bad: { settings: 'PRODUCTION_PROCESSES = [{"BACKEND": "gunicorn"}]' },
    good: { settings: WEB },
  },
  E103: {
    why: 'There is nothing to start.',
    bad: { settings: 'PRODUCTION_PROCESSES = {}' },
    good: { settings: WEB },
  },
  E104: {
    why: 'A name on the command line is no declared process, and no command.',
    bad: { settings: WEB, command: 'prodserver run wbe' },
    good: { settings: WEB, command: 'prodserver check web' },
  },
  E105: {
    why: 'Names become names of files, of units and of options, where slashes, spaces and the like mean something else.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web server/1": {"BACKEND": "gunicorn"}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"web-1": {"BACKEND": "gunicorn"}}' },
  },
  E106: {
    why: 'A key that nobody reads is a setting that is not in force: here the server would listen at its default address.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARG": {"bind": "127.0.0.1:9000"}}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:9000"}}}' },
  },
  E107: {
    why: 'A value that cannot be understood would be a default in its place, or an exception long after the start.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "STOP": {"timeout": "soon"}}}' },
    good: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "STOP": {"timeout": "30s"}}}' },
  },
  E109: {
    why: 'It would wait for ever, or start too early.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"},
    "web": {"BACKEND": "gunicorn", "DEPENDS_ON": "migrations"},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "migrate": {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"},
    "web": {"BACKEND": "gunicorn", "DEPENDS_ON": "migrate"},
}`,
    },
  },
  E110: {
    why: 'Each waits for the other, and none starts.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "DEPENDS_ON": "frontend"},
    "frontend": {"BACKEND": "command", "APP": "npm start", "DEPENDS_ON": "web"},
}`,
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn"},
    "frontend": {"BACKEND": "command", "APP": "npm start", "DEPENDS_ON": "web"},
}`,
    },
  },
  E111: {
    why: 'Without its variables the process would start with others, or with none.',
    bad: { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ENV_FILE": ".env.production"}}' },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ENV_FILE": ".env.production"}}',
      files: { '.env.production': 'SHOP_STAGE=production\n' },
    },
  },
  E112: {
    why: 'Variables have no dashes, so two names can be the same there. None of the two is chosen for you.',
    bad: {
      settings: `PRODUCTION_PROCESSES = {
    "web-1": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8001"}},
    "web_1": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8002"}},
}`,
      command: 'PRODSERVER_WEB_1_NICE=5 prodserver check',
    },
    good: {
      settings: `PRODUCTION_PROCESSES = {
    "web-1": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8001"}},
    "web_1": {"BACKEND": "gunicorn", "ARGS": {"bind": ":8002"}},
}`,
      command: 'prodserver check --set web-1.NICE=5',
    },
  },
  W101: {
    why: 'A variable that is nearly an override overrides nothing, and nobody else says so.',
    bad: { settings: WEB, command: 'PRODSERVER_WEB_ARG_WORKERS=8 prodserver check' },
    good: { settings: WEB, command: 'PRODSERVER_WEB_ARGS_WORKERS=8 prodserver check' },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
