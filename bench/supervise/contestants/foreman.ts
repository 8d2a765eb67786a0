import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { debianLibraries, debianVersion, installDebian } from '../install.ts'

export const foreman: Contestant = {
  name: 'foreman',
  install() {
    const root = installDebian('ruby-foreman')
    const usr = join(root, 'usr')
    const [ruby = 'ruby'] = globSync(join(usr, 'bin', 'ruby[0-9]*'))
    // Ruby has the folders of its library built in, so it is told where they are this time.
    const library = ['{,*-linux-gnu/}ruby/vendor_ruby', '{,*-linux-gnu/}ruby/[0-9]*']
    const variables = {
      RUBYLIB: globSync(library.map((pattern) => join(usr, 'lib', pattern))).join(':'),
      GEM_PATH: join(usr, 'share', 'rubygems-integration', 'all'),
      LD_LIBRARY_PATH: debianLibraries(root),
    }
    return {
      version: debianVersion(root, 'ruby-foreman'),
      restarts: false,
      logLines: 100_000,
      configure({ folder, env, argv, count }) {
        writeFileSync(join(folder, 'Procfile'), `child: exec ${argv.join(' ')}\n`)
        const command = [ruby, join(usr, 'bin', 'foreman'), 'start', '-m', `child=${count}`]
        return {
          start: { argv: command, cwd: folder, env: { ...env, ...variables } },
          logs: { folder: join(folder, 'logs') },
        }
      },
    }
  },
}
