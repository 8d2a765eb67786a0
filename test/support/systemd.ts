import {
  mkdirSync,
  mkdtempSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Finished, run, start, waitUntil } from './running.ts'

/** A systemd that is process 1 of its own namespace, with units of ours and nothing else. */
export interface Systemd {
  /** Runs a program beside it, such as `systemctl`. */
  readonly run: (...command: readonly string[]) => Promise<Finished>
  /** What a unit has printed. */
  readonly output: (unit: string) => string
}

/** Targets that every unit refers to; those of the machine would start all that is installed on it. */
const TARGETS = ['sysinit', 'basic', 'shutdown', 'sockets', 'timers', 'multi-user', 'network-online']

/**
 * The real program as the machine's own would be: users, namespaces, sandboxing and cgroups are real. Its /run, /dev and
 * cgroups are its own, so that nothing of this machine is touched.
 */
const BOOT = `
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system /run/dev/shm /run/dev/pts
for name in null zero full random urandom; do
  : > /run/dev/$name
  mount --bind /dev/$name /run/dev/$name
done
: > /run/dev/console
: > /run/dev/kmsg
ln -s /proc/self/fd /run/dev/fd
ln -s pts/ptmx /run/dev/ptmx
mount --rbind /run/dev /dev
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /var/lib/systemd
mount -t tmpfs tmpfs /var/lib/systemd
exec env -i PATH="$PATH" LANG=C.UTF-8 container=test SYSTEMD_UNIT_PATH="$1" \\
  SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere \\
  /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=console --show-status=0
`

/** Starts it with the units of a folder. It ends, with all that it runs, when the test ends. */
export async function bootSystemd(t: TestContext, units: string): Promise<Systemd> {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-systemd-'))
  const cgroup = join(cgroupRoot(), `prodserver-test-${process.pid}-${folder.slice(-6)}`)
  const base = join(folder, 'base')
  mkdirSync(join(base, 'service.d'), { recursive: true })
  for (const target of TARGETS)
    writeFileSync(join(base, `${target}.target`), '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n')
  const outputs = join(folder, 'output')
  mkdirSync(outputs)
  const log = `append:${outputs}/%n`
  writeFileSync(join(base, 'service.d', 'output.conf'), `[Service]\nStandardOutput=${log}\nStandardError=${log}\n`)
  writeFileSync(join(folder, 'boot.sh'), BOOT)
  mkdirSync(cgroup)
  const namespaces = ['--pid', '--mount', '--ipc', '--uts', '--cgroup', '--fork', '--kill-child', '--mount-proc']
  // In its cgroup first: the namespace that it makes has that one for its root.
  const enter = `echo 0 > ${cgroup}/cgroup.procs && exec unshare ${namespaces.join(' ')} sh ${folder}/boot.sh ${units}:${base}`
  const booted = start(t, 'sh', ['-c', enter])
  // After the hook that kills it: they are called in this order.
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
    return removeCgroup(cgroup)
  })
  const pid = await waitUntil(() => childOf(booted.pid), 10_000, booted.output)
  const within = ['-t', String(pid), '-m', '-p', '-C']
  const inside = (...command: readonly string[]): Promise<Finished> => run(t, 'nsenter', [...within, ...command])
  await waitUntil(
    async () => (await inside('systemctl', 'is-active', 'multi-user.target')).stdout.startsWith('active') || undefined,
    20_000,
    booted.output,
  )
  return {
    run: inside,
    output: (unit) => (existsSync(join(outputs, unit)) ? readFileSync(join(outputs, unit), 'utf8') : ''),
  }
}

/** Where the second version of cgroups is, alone or beside the first. */
const cgroupRoot = (): string =>
  existsSync('/sys/fs/cgroup/cgroup.procs') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified'

function childOf(pid: number): number | undefined {
  try {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
    // Until then it is the shell that mounts.
    return child > 0 && readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'systemd' ? child : undefined
  } catch {
    return undefined
  }
}

/** Its processes are killed by then, and may need a moment to be gone. */
async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name))
  await waitUntil(() => {
    try {
      rmdirSync(path)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? true : undefined
    }
  })
}
