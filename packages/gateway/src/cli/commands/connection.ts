import { ConnectionList, Disconnected, type Connection } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime } from '../print.ts'

const list = command({
  name: 'connection list',
  does: 'Lists the accounts users have connected, never their tokens. They are connected in a browser, at `<publicUrl>/account`.',
  arguments: [],
  options: { user: { value: 'user', says: 'Only those of this user.' }, ...gateOptions },
  examples: {
    'connection list': 'who has connected what, and whether it works',
    'connection list --user ada': 'those of one user',
  },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const call = { method: 'GET', path: ['connections'], query: { user: options.user } } as const
    const { connections } = await client.ask(call, ConnectionList)
    const print = createPrinter(world)
    if (options.json) return print.json(connections)
    const headings = ['PROVIDER', 'USER', 'ACCOUNT', 'STATUS', 'CONNECTED (UTC)', 'EXPIRES', 'LAST USED', 'FAILURE']
    print.table(headings, connections.map(toRow), 'No accounts are connected.')
  },
})

function toRow(connection: Connection): string[] {
  const { provider, user, account, status, connectedAt, expiresAt, lastUsedAt, failure } = connection
  return [
    provider,
    user,
    account ?? '-',
    status,
    showTime(connectedAt),
    showTime(expiresAt),
    showTime(lastUsedAt, 'never'),
    failure ?? '-',
  ]
}

const remove = command({
  name: 'connection remove',
  does: 'Disconnects the account of a user at a provider. To connect it again takes a browser, at `<publicUrl>/account`.',
  arguments: [{ name: 'provider', says: 'As `connection list` shows it.' }],
  options: {
    user: { value: 'user', says: 'Whose. Not needed with a key of their own, nor where there is one user.' },
    ...gateOptions,
  },
  examples: { 'connection remove myanimelist --user ada': 'its servers are not called for ada any more' },
  async run({ arguments: { provider }, options }, world) {
    const client = await createClient(options, world)
    const call = { method: 'DELETE', path: ['connections', provider], query: { user: options.user } } as const
    const { revoked } = await client.ask(call, Disconnected)
    const print = createPrinter(world)
    if (options.json) return print.json({ removed: provider, revoked })
    print.line(`The account at ${provider} is disconnected.`)
    if (!revoked) print.note(`${provider} did not confirm that its tokens are revoked; the gate has forgotten them.`)
  },
})

export const connectionCommands = [list, remove]
