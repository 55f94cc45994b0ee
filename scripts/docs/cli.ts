import type { ArgumentRow, Command, OptionRow } from '../../packages/gateway/src/cli/command.ts'
import { commands } from '../../packages/gateway/src/cli/commands.ts'
import { code, heading, table } from './markdown.ts'

/** Every command of the command line. */
export function cliPage(): string {
  const intro =
    'In the repository, write `npm run sekisho -- <command>` for `sekisho <command>`. Exit codes: 0 done, 1 failed ' +
    '(stderr says what happened and what to do), 2 not a command line.'
  const gate =
    'Commands that ask a gate ask the one of the data directory, without a key; with `--url` they ask the gate at that ' +
    'address, with an API key. Keys and tokens are never taken from an argument, which every process can read.'
  return heading('Command line', intro, gate) + commands.map(section).join('\n')
}

function section({ name, does, arguments: args, options, examples }: Command): string {
  const words = args.map(({ name, optional }) => (optional ? `[${name}]` : `<${name}>`))
  const usage = ['sekisho', name, ...words].join(' ')
  const lines = Object.entries(examples).map(([line, says]) => `sekisho ${line}    # ${says}`)
  const rows = [...args.map(argumentRow), ...Object.entries(options).map(optionRow)]
  return [`## ${name}\n\n${does}\n`, `\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`, table([code(usage), ''], rows)].join(
    '\n',
  )
}

function argumentRow({ name, says, choices }: ArgumentRow): string[] {
  return [code(name), withChoices(says, choices)]
}

function optionRow([name, { value, says, choices }]: [string, OptionRow]): string[] {
  return [code(value === undefined ? `--${name}` : `--${name} <${value}>`), withChoices(says, choices)]
}

function withChoices(says: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? says : `${says} One of ${choices.map(code).join(', ')}.`
}
