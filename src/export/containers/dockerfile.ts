import { runsToCompletion } from '../../core/completion.ts'
import type { PlannedProject } from '../../plan/plan.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { portsOf } from './ports.ts'
import { IMAGE_ROOT } from './image-layout.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { ExportedFile } from '../target.ts'

type DockerfileInput = Pick<ExportInput, 'project' | 'processes' | 'collector' | 'found'>

/** User of the image: a number, because Kubernetes cannot see whether a name stands for root. */
export const IMAGE_UID = 1000

/** Debian release of the base images. Their tags get security updates. */
const DEBIAN = 'trixie'
const NODE_IMAGE = `node:24-${DEBIAN}-slim`
const UV = '0.9'
const POETRY = '2.2.1'
const PIPENV = '2025.0.4'

/** Files of requirements in the order of preference, with the lines that install what each lists. */
const INSTALLERS: Readonly<Record<string, readonly string[]>> = {
  'uv.lock': [
    `COPY --from=ghcr.io/astral-sh/uv:${UV} /uv /usr/local/bin/uv`,
    'COPY pyproject.toml uv.lock ./',
    'RUN uv sync --active --locked --no-dev --no-install-project',
  ],
  'poetry.lock': [
    // Poetry gets an environment of its own, so that its packages do not mix with the project's.
    `RUN python -m venv /poetry && /poetry/bin/pip install poetry==${POETRY}`,
    'COPY pyproject.toml poetry.lock ./',
    'RUN /poetry/bin/poetry install --only main --no-root --no-interaction',
  ],
  'Pipfile.lock': [
    `RUN python -m venv /pipenv && /pipenv/bin/pip install pipenv==${PIPENV}`,
    'COPY Pipfile Pipfile.lock ./',
    'RUN /pipenv/bin/pipenv requirements > /requirements.txt && pip install -r /requirements.txt',
  ],
  'requirements.txt': ['COPY requirements.txt ./', 'RUN pip install -r requirements.txt'],
  'pyproject.toml': ['COPY . .', 'RUN pip install .'],
}
const NO_INSTALLER = ['# The project has no file that says what it needs: write a requirements.txt, and name it here.']

/** Returns the file that lists what the project needs; undefined if there is none. */
export const lockOf = (found: ReadonlySet<string>): string | undefined =>
  Object.keys(INSTALLERS).find((name) => found.has(name))

/**
 * Returns a Dockerfile for a project that has none, in two stages: the tools that build packages are not in the final image.
 * Beside it lies a list of files to keep out of the build, which BuildKit prefers to `.dockerignore`.
 */
export function dockerfile(input: DockerfileInput): readonly ExportedFile[] {
  const stages: (readonly string[])[] = []
  if (input.project.python) stages.push(buildStage(input))
  if (needsNode(input)) stages.push(nodeStage(input))
  stages.push(runStage(input))
  return [
    { path: 'Dockerfile', text: stages.map((lines) => `${lines.join('\n')}\n`).join('\n') },
    { path: 'Dockerfile.dockerignore', text: `${IGNORED.join('\n')}\n` },
  ]
}

const IGNORED = [
  '.git',
  '.github',
  '.venv',
  'venv',
  '**/__pycache__',
  '**/node_modules',
  '**/*.sqlite3',
  '**/.env*',
  '**/Dockerfile*',
  '**/compose*.yaml',
]

/** The image of the interpreter's feature release: packages work with every patch release of it. */
const baseImage = ({ python }: PlannedProject): string =>
  python ? `python:${python.version.split('.').slice(0, 2).join('.')}-slim-${DEBIAN}` : NODE_IMAGE

const needsNode = ({ project, processes }: DockerfileInput): boolean =>
  project.python === null ||
  processes.some(({ argv: [program = ''] }) => program === 'node' || program.startsWith('node_modules/'))

function buildStage({ project, found }: DockerfileInput): readonly string[] {
  return [
    `FROM ${baseImage(project)} AS build`,
    'ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1',
    'RUN python -m venv /venv',
    'ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv',
    `WORKDIR ${IMAGE_ROOT}`,
    ...(INSTALLERS[lockOf(found) ?? ''] ?? NO_INSTALLER),
  ]
}

function nodeStage({ found }: DockerfileInput): readonly string[] {
  const lock = found.has('package-lock.json') ? ' package-lock.json' : ''
  return [
    `FROM ${NODE_IMAGE} AS node`,
    `WORKDIR ${IMAGE_ROOT}`,
    `COPY package.json${lock} ./`,
    lock ? 'RUN npm ci --omit=dev' : 'RUN npm install --omit=dev',
  ]
}

function runStage(input: DockerfileInput): readonly string[] {
  const { project, processes, collector } = input
  const lines = [`FROM ${baseImage(project)}`]
  if (project.python) lines.push('ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH')
  lines.push(`RUN ${createUser(project)}${createRoot}`, `WORKDIR ${IMAGE_ROOT}`)
  if (project.python) lines.push('COPY --from=build /venv /venv')
  if (project.python && needsNode(input)) lines.push('COPY --from=node /usr/local/bin/node /usr/local/bin/node')
  if (needsNode(input)) lines.push(`COPY --from=node ${IMAGE_ROOT}/node_modules ./node_modules`)
  lines.push('COPY . .')
  if (collector) lines.push(...collectLines(collector, project))
  lines.push(`USER ${IMAGE_UID}:${IMAGE_UID}`)
  const ports = [...new Set(processes.flatMap(portsOf))].toSorted((a, b) => a - b)
  if (ports.length > 0) lines.push(`EXPOSE ${ports.join(' ')}`)
  const first = processes.find((exported) => !runsToCompletion(exported)) ?? processes[0]
  if (first) lines.push(`CMD ${JSON.stringify(first.argv)}`)
  return lines
}

/** The image of Node has a user of that number already. */
const createUser = ({ python }: PlannedProject): string =>
  python ? `useradd --uid ${IMAGE_UID} --user-group --home-dir ${IMAGE_ROOT} app && ` : ''

/** The code stays root's. The processes may write files of their own beside it, as beat does. */
const createRoot = `install --directory --owner ${IMAGE_UID} --group ${IMAGE_UID} ${IMAGE_ROOT}`

/** Settings that require a variable get one for this line alone, which stays in no layer. */
function collectLines({ argv }: ExportedProcess, { settings }: PlannedProject): readonly string[] {
  return [
    '# Where the settings insist on a secret: RUN SECRET_KEY=unused DJANGO_SETTINGS_MODULE=... python ...',
    `RUN DJANGO_SETTINGS_MODULE=${settings?.module ?? ''} ${argv.map(quoteWord).join(' ')}`,
  ]
}
