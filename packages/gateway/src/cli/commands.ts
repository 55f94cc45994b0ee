import type { Command } from './command.ts'
import { agentCommands } from './commands/agent.ts'
import { check } from './commands/check.ts'
import { connect } from './commands/connect.ts'
import { createCompletion } from './commands/completion.ts'
import { connectionCommands } from './commands/connection.ts'
import { keyCommands } from './commands/key.ts'
import { loginCommands } from './commands/login.ts'
import { logs } from './commands/logs.ts'
import { rootKeyCommands } from './commands/root-key.ts'
import { start } from './commands/start.ts'
import { status } from './commands/status.ts'
import { tokenCommands } from './commands/token.ts'
import { userCommands } from './commands/user.ts'
import { whoami } from './commands/whoami.ts'

/** Every command, once: the program, its help, its completion and its reference page are made of this. */
export const commands: readonly Command[] = [
  start,
  check,
  status,
  whoami,
  ...loginCommands,
  connect,
  ...userCommands,
  ...agentCommands,
  ...keyCommands,
  ...tokenCommands,
  ...connectionCommands,
  ...rootKeyCommands,
  logs,
  createCompletion(() => commands),
]

/** What a person does first, for the help of the whole. */
export const firstSteps: Readonly<Record<string, string>> = {
  start: 'run the gate, with ./sekisho.jsonc or with demonstration servers',
  check: 'see whether ./sekisho.jsonc is right',
  'user invite ada': 'let somebody in: prints a link by which they choose a password',
  'key add ada': 'make a key for a program of theirs that cannot sign in',
  'token set github --user ada': 'give the gate their token for a server',
  status: 'see what runs',
}

/** The first words that several commands share. */
export const groups: Readonly<Record<string, string>> = {
  user: 'Who may call through the gate.',
  agent: 'Programs that call in their own name.',
  key: 'What their clients show to the gate.',
  token: 'What the gate shows to servers for them.',
  'root-key': 'Where the key of the vault is kept.',
  connection: 'The accounts they connected, in a browser at `<publicUrl>/account`.',
}
