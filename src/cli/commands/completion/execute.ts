import { EXIT, UsageError } from '../../../core/errors.ts'
import type { CommandSpec, ContextOf } from '../../command.ts'
import type { FLAGS } from './flags.ts'
import { renderBash, renderFish, renderZsh } from './render.ts'

const SHELLS: Readonly<Record<string, (commands: readonly CommandSpec[]) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}

/** Prints a completion script. It asks the project for the names of processes when the user completes. */
export async function execute({ operands, io, commands }: ContextOf<typeof FLAGS>): Promise<number> {
  const [shell] = operands
  if (shell === undefined) throw new UsageError('Name a shell.', 'Shells: bash, zsh, fish')
  const render = SHELLS[shell]
  if (!render) throw new UsageError(`There is no completion for ${shell}.`, 'Shells: bash, zsh, fish')
  io.stdout.write(render(commands))
  return EXIT.done
}
