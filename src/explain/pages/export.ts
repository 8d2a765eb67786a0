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
    bad: {
      settings: WEB,
      files: { Procfile: 'web: gunicorn mysite.wsgi\n' },
      command: 'prodserver export procfile --out .',
    },
    good: {
      settings: WEB,
      files: { Procfile: 'web: gunicorn mysite.wsgi\n' },
      command: 'prodserver export procfile --out deploy',
    },
  },
  E804: {
    why: 'Either all files are written, or none is.',
    bad: { settings: WEB, command: 'prodserver export procfile --out manage.py' },
    good: { settings: WEB, command: 'prodserver export procfile --out deploy' },
  },
  W801: {
    why: 'The processes run without it there: this says what happens instead.',
    bad: {
      settings: 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "command", "APP": "sleep 600", "INSTANCES": 2}}',
      command: 'prodserver export procfile --out deploy',
    },
    good: 'Another target, or prodserver up, which heeds every key',
  },
  W802: {
    why: 'A mistake in the project, or in a package of it, is then one of the whole machine.',
    bad: { settings: WEB, command: 'prodserver export systemd --name mysite --out units' },
    good: { settings: WEB, command: 'prodserver export systemd --name mysite --out units --user shop' },
  },
} as const satisfies Readonly<Record<string, ProblemPage>>

const DEPLOY = {
  settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "0.0.0.0:8000"}}}',
  command: 'prodserver deploy kubernetes --image shop:1.4',
}

export const CLUSTER_PAGES = {
  E901: {
    why: 'What says how to reach a cluster is read as other tools read it: `KUBECONFIG`, or `~/.kube/config`.',
    bad: DEPLOY,
    good: 'KUBECONFIG=/etc/mysite/kubeconfig prodserver deploy kubernetes --image shop:1.4',
    needs: 'no cluster',
    seen: `E901  /home/shop/.kube/config
      No cluster is known: there is no kubeconfig.
      → Name it: --kubeconfig FILE, or set KUBECONFIG`,
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
      The cluster cannot be reached: connect ECONNREFUSED 192.0.2.7:6443.
      → It is named in /home/shop/.kube/config; try: kubectl cluster-info`,
  },
} as const satisfies Readonly<Record<string, ProblemPage>>
