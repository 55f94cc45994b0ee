import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConnectionList, Disconnected, Imported, type Connection } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime } from '../print.ts'
import { readTokenFile } from '../token-file.ts'

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

const take = command({
  name: 'connection import',
  does: 'Moves the tokens that another program keeps in a plain file into the vault, as a connection that is kept alive like any other. They are tried first.',
  arguments: [
    { name: 'server', says: 'As the configuration names it; it needs an account at a provider that is set up there.' },
    { name: 'file', says: 'JSON with access_token, refresh_token and expires_at, or the reply of a token endpoint.' },
  ],
  options: {
    user: { value: 'user', says: 'Whose. Not needed with a key of their own, nor where there is one user.' },
    delete: { says: 'Delete the file once its tokens are in the vault, and the provider took them.' },
    ...gateOptions,
  },
  examples: { 'connection import myanimelist ~/tokens.json --delete': 'a tokens.json that lay around in plain text' },
  async run({ arguments: { server, file: named }, options }, world) {
    const client = await createClient(options, world)
    const file = resolve(world.directory, named)
    const { accessToken, refreshToken, expiresAt, scopes } = await readTokenFile(file)
    const tokens = { accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal(), expiresAt, scopes }
    const body = { server, user: options.user, ...tokens }
    const made = await client.ask({ method: 'POST', path: ['connections'], body }, Imported)
    // Until the provider has said that they work, the file may be the only place they came from.
    const deleted = options.delete && made.checked && (await isDeleted(file))
    const print = createPrinter(world)
    if (options.json) return print.json({ ...made, deleted })
    const whose = made.account === null ? '' : ` (${made.account})`
    print.line(`The account of ${made.user} at ${made.name}${whose} is connected.`)
    if (deleted) print.line(`${file} is deleted.`)
    else if (made.checked) print.line(`${file} is not needed any more: delete it.`)
    else print.note(`${made.name} did not say yet whose the tokens are. Delete ${file} once a call has worked.`)
    if (refreshToken === undefined)
      print.note('They cannot be renewed: when they end, the account is connected again in a browser.')
    print.note('Copies that backups or a repository hold open the account until its tokens are revoked.')
  },
})

async function isDeleted(file: string): Promise<boolean> {
  return rm(file).then(
    () => true,
    () => false,
  )
}

export const connectionCommands = [list, take, remove]
