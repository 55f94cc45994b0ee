import { command, type Command } from '../command.ts'
import { bashCompletion, fishCompletion, zshCompletion } from '../completion.ts'
import { createPrinter } from '../print.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** The command that writes the completion of all commands, its own included. */
export function createCompletion(all: () => readonly Command[]): Command {
  return command({
    name: 'completion',
    does: 'Writes what a shell needs to complete commands.',
    arguments: [{ name: 'shell', choices: SHELLS, says: 'For which shell.' }],
    options: {},
    examples: {
      'completion bash > ~/.local/share/bash-completion/completions/sekisho': 'for bash',
      'completion zsh > "${fpath[1]}/_sekisho"': 'for zsh',
      'completion fish > ~/.config/fish/completions/sekisho.fish': 'for fish',
    },
    async run({ arguments: { shell } }, world) {
      const write = new Map([
        ['bash', bashCompletion],
        ['zsh', zshCompletion],
        ['fish', fishCompletion],
      ]).get(shell)
      createPrinter(world).line(write?.(all()))
    },
  })
}
