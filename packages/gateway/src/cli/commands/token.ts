import { TokenList } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { readSecret } from '../../base/terminal.ts'
import { createPrinter, showTime } from '../print.ts'

const SERVER = { name: 'server', says: 'As the configuration names it.' } as const
const WHOSE = {
  value: 'user',
  says: 'Whose. Not needed with a key of their own, nor where there is one user.',
} as const

const list = command({
  name: 'token list',
  does: 'Lists which service tokens are set; the tokens themselves are never shown.',
  arguments: [],
  options: { user: { value: 'user', says: 'Only those of this user.' }, ...gateOptions },
  examples: { 'token list': 'who has set what; connected accounts are in `connection list`' },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const { tokens } = await client.ask({ method: 'GET', path: ['tokens'], query: { user: options.user } }, TokenList)
    const print = createPrinter(world)
    if (options.json) return print.json(tokens)
    const rows = tokens.map(({ server, user, updatedAt, lastUsedAt }) => [
      server,
      user,
      showTime(updatedAt),
      showTime(lastUsedAt, 'never'),
    ])
    print.table(['SERVER', 'USER', 'SET (UTC)', 'LAST USED'], rows, 'No tokens are set.')
  },
})

const set = command({
  name: 'token set',
  does: 'Sets the token that the calls of a user to a server are made with. It is typed unseen, or piped in.',
  arguments: [SERVER],
  options: { user: WHOSE, ...gateOptions },
  examples: {
    'token set github --user ada': 'asks for the token',
    'token set github --user ada < token.txt': 'takes it from a file',
  },
  async run({ arguments: { server }, options }, world) {
    const client = await createClient(options, world)
    const token = await readSecret(`Token for ${server}: `, world)
    const body = { user: options.user, token: token.reveal() }
    await client.read({ method: 'PUT', path: ['tokens', server], body })
    const print = createPrinter(world)
    if (options.json) return print.json({ set: server })
    print.line(`The token for ${server} is set.`)
  },
})

const remove = command({
  name: 'token remove',
  does: 'Removes the token of a user for a server.',
  arguments: [SERVER],
  options: { user: WHOSE, ...gateOptions },
  examples: { 'token remove github --user ada': 'the server is not called for ada any more' },
  async run({ arguments: { server }, options }, world) {
    const client = await createClient(options, world)
    await client.read({ method: 'DELETE', path: ['tokens', server], query: { user: options.user } })
    const print = createPrinter(world)
    if (options.json) return print.json({ removed: server })
    print.line(`The token for ${server} is removed.`)
  },
})

export const tokenCommands = [list, set, remove]
