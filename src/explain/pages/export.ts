import type { ProblemPage } from '../page.ts'

const WEB = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'

export const EXPORT_PAGES = {
  E801: {
    why: 'Exported files are kept beside the code, and copied to machines.',
    bad: {
      settings:
        'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}, "ENV": {"API_TOKEN": "8f2c91d0"}}}',
      command: 'prodserver export compose --image shop:1.4',
    },
    good: {
      settings:
        'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}, "ENV": {"API_TOKEN": "8f2c91d0"}}}',
      command: 'prodserver export compose --image shop:1.4 --env-from shop.env',
    },
  },
  E802: {
    why: 'The target has no way to say it, or what is said would not work there: nobody outside a container reaches its loopback address.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8000"}}}',
      command: 'prodserver export compose --image shop:1.4',
    },
    good: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}}}',
      command: 'prodserver export compose --image shop:1.4',
    },
  },
  E803: {
    why: 'The file may be the work of somebody who would miss it.',
    bad: { settings: WEB, command: 'prodserver export systemd --out units' },
    good: 'Move it away, or choose another folder: prodserver export systemd --out /tmp/units',
    needs: 'a file that somebody else has written',
    seen: `E803  units/mysite-web.service
      It was not written by an export, and is left as it is.`,
  },
  E804: {
    why: 'Either all files are written, or none is.',
    bad: { settings: WEB, command: 'prodserver export systemd --out /proc/units' },
    good: 'prodserver export systemd --out units',
    needs: 'a folder that cannot be written',
    seen: `E804  /proc/units
      The files cannot be written: ENOENT: no such file or directory.`,
  },
  W801: {
    why: 'The processes run without it there: this says what happens instead.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "READY": {"http": "/health/"}}}',
      command: 'prodserver export procfile',
    },
    good: 'Another target, or prodserver up, which heeds every key',
    needs: 'a target that lacks a word',
    seen: `W801  PRODUCTION_PROCESSES["web"]["READY"]
      Nobody is asked: it counts as ready when it is started.`,
  },
  W802: {
    why: 'A mistake in the project, or in a package of it, is then one of the whole machine.',
    bad: { settings: WEB, command: 'prodserver export systemd --out units' },
    good: 'prodserver export systemd --out units --user shop',
    needs: 'a target that starts as root',
    seen: `W802  USER
      No user is named, and systemd starts everything as root that says nothing else.
      → Such as: --user shop`,
  },
} as const satisfies Readonly<Record<string, ProblemPage>>

const DEPLOY = { settings: WEB, command: 'prodserver deploy kubernetes' }

export const CLUSTER_PAGES = {
  E901: {
    why: 'What says how to reach a cluster is read as other tools read it: `KUBECONFIG`, or `~/.kube/config`.',
    bad: DEPLOY,
    good: 'KUBECONFIG=/etc/mysite/kubeconfig prodserver deploy kubernetes',
    needs: 'no cluster',
    seen: `E901  /home/shop/.kube/config
      There is no such file.`,
  },
  E902: {
    why: 'The cluster has understood, and does not allow or accept it. Its own words are shown.',
    bad: DEPLOY,
    good: 'kubectl auth can-i create deployments',
    needs: 'a cluster',
    seen: `E902  https://cluster.example.com:6443
      The cluster refuses: deployments.apps is forbidden: User "shop" cannot create resource "deployments".`,
  },
  E903: {
    why: 'Nothing was changed: nobody has answered.',
    bad: DEPLOY,
    good: 'kubectl cluster-info',
    needs: 'a cluster that does not answer',
    seen: `E903  https://cluster.example.com:6443
      The cluster cannot be reached: connect ECONNREFUSED 192.0.2.7:6443.`,
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
