import { KeyList, NewKey, Status, type Key } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime } from '../print.ts'

const list = command({
  name: 'key list',
  does: 'Lists API keys, by how they begin; the keys themselves are kept nowhere.',
  arguments: [],
  options: { user: { value: 'user', says: 'Only those of this user.' }, ...gateOptions },
  examples: { 'key list': 'all keys', 'key list --user ada': 'those of one user' },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const { keys } = await client.ask({ method: 'GET', path: ['keys'], query: { user: options.user } }, KeyList)
    const print = createPrinter(world)
    if (options.json) return print.json(keys)
    const headings = ['KEY', 'USER', 'NAME', 'SCOPES', 'MADE (UTC)', 'LAST USED', 'ENDS', 'ID']
    print.table(headings, keys.map(toRow), 'There are no keys.')
  },
})

function toRow({ prefix, user, name, scopes, createdAt, lastUsedAt, expiresAt, revokedAt, id }: Key): string[] {
  const ends = revokedAt === null ? showTime(expiresAt, 'never') : `revoked ${showTime(revokedAt)}`
  return [`${prefix}…`, user, name, scopes.join(' '), showTime(createdAt), showTime(lastUsedAt, 'never'), ends, id]
}

const add = command({
  name: 'key add',
  does: 'Makes an API key and shows it, this once.',
  arguments: [{ name: 'user', says: 'Whose it is: name, or id.' }],
  options: {
    name: { value: 'name', says: 'What it is for, to tell it from others. Default: key.' },
    scope: {
      value: 'scope',
      many: true,
      says: 'What it opens: mcp, mcp:<server>, admin, metrics; may be given more than once. Default: mcp.',
    },
    'expires-in-days': { value: 'days', number: true, says: 'From 1 to 3650. Without it, it does not expire.' },
    ...gateOptions,
  },
  examples: {
    'key add ada --name laptop': 'for the clients on a laptop: every server',
    'key add ada --scope mcp:github --expires-in-days 30': 'one server, one month',
    'key add grace --scope mcp --scope admin': 'for an administrator, over HTTP too',
  },
  async run({ arguments: { user }, options }, world) {
    const client = await createClient(options, world)
    const scopes = options.scope.length === 0 ? undefined : options.scope
    const body = { user, name: options.name, scopes, expiresInDays: options['expires-in-days'] }
    const made = await client.ask({ method: 'POST', path: ['keys'], body }, NewKey)
    const print = createPrinter(world)
    if (options.json) return print.json(made)
    const { user: owner, scopes: opens } = made.record
    // First of all, since nothing can show it again, whatever becomes of the question below.
    print.line(`API key of ${owner} (${opens.join(', ')}), shown this once:\n\n  ${made.key}`)
    const path = endpointOf(opens)
    if (path === undefined) return
    const { url } = await client.ask({ method: 'GET', path: ['status'] }, Status)
    print.line(`\nIn the configuration of an MCP client:\n\n${toSnippet(`${url}${path}`, made.key)}`)
  },
})

/** Where a key with these scopes opens anything of MCP. */
function endpointOf(scopes: readonly string[]): string | undefined {
  if (scopes.includes('mcp')) return '/mcp'
  const server = scopes.find((scope) => scope.startsWith('mcp:'))?.slice('mcp:'.length)
  return server && `/mcp/${server}`
}

function toSnippet(url: string, key: string): string {
  const entry = { type: 'http', url, headers: { Authorization: `Bearer ${key}` } }
  return JSON.stringify({ mcpServers: { sekisho: entry } }, undefined, 2)
}

const revoke = command({
  name: 'key revoke',
  does: 'Revokes an API key, within a second and for good.',
  arguments: [{ name: 'key', says: 'Its id, as `key list` shows it.' }],
  options: gateOptions,
  examples: { 'key revoke key_01j8zq…': 'a laptop was lost' },
  async run({ arguments: { key }, options }, world) {
    const client = await createClient(options, world)
    await client.read({ method: 'DELETE', path: ['keys', key] })
    const print = createPrinter(world)
    if (options.json) return print.json({ revoked: key })
    print.line(`${key} opens nothing any more.`)
  },
})

export const keyCommands = [list, add, revoke]
