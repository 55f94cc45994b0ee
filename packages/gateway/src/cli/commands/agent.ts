import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { problem } from '../../base/problem.ts'
import { AgentList, MadeAgent } from '../answers.ts'
import { createClient, gateOptions } from '../client.ts'
import { command } from '../command.ts'
import { createPrinter, showTime, type Printer } from '../print.ts'
import type { World } from '../world.ts'

const AGENT = { name: 'agent', says: 'Its name, or id.' } as const
const KEYS = {
  value: 'file',
  says: 'Its public keys, as JSON (a JSON Web Key Set): it then signs with its own, and there is no secret.',
} as const

const list = command({
  name: 'agent list',
  does: 'Lists the agents: users who are programs.',
  arguments: [],
  options: gateOptions,
  examples: { 'agent list': 'which programs call in their own name' },
  async run({ options }, world) {
    const client = await createClient(options, world)
    const { agents } = await client.ask({ method: 'GET', path: ['agents'] }, AgentList)
    const print = createPrinter(world)
    if (options.json) return print.json(agents)
    const rows = agents.map(({ name, clientId, method, changedAt }) => [name, clientId, method, showTime(changedAt)])
    print.table(['NAME', 'CLIENT ID', 'PROVES ITSELF BY', 'SINCE (UTC)'], rows, 'There are no agents.')
  },
})

const add = command({
  name: 'agent add',
  does: 'Adds a program that calls in its own name, and shows its client id and secret, this once.',
  arguments: [{ name: 'name', says: 'Letters, digits, spaces and . _ @ -' }],
  options: { keys: KEYS, ...gateOptions },
  examples: { 'agent add nightly': 'a job without a person', 'agent add ci --keys jwks.json': 'one that signs' },
  async run({ arguments: { name }, options }, world) {
    const client = await createClient(options, world)
    const body = { name, jwks: await readKeys(options.keys, world) }
    const made = await client.ask({ method: 'POST', path: ['agents'], body }, MadeAgent)
    const print = createPrinter(world)
    if (options.json) return print.json(made)
    show(made, print)
  },
})

const renew = command({
  name: 'agent secret',
  does: 'Gives an agent a new secret, or new keys. The ones before, and its tokens, end at once.',
  arguments: [AGENT],
  options: { keys: KEYS, ...gateOptions },
  examples: { 'agent secret nightly': 'its secret was seen' },
  async run({ arguments: { agent }, options }, world) {
    const client = await createClient(options, world)
    const body = { jwks: await readKeys(options.keys, world) }
    const made = await client.ask({ method: 'POST', path: ['agents', agent, 'secret'], body }, MadeAgent)
    const print = createPrinter(world)
    if (options.json) return print.json(made)
    show(made, print)
  },
})

const remove = command({
  name: 'agent remove',
  does: 'Removes an agent with its tokens and credentials, at once and for good.',
  arguments: [AGENT],
  options: gateOptions,
  examples: { 'agent remove nightly': 'it is refused from now on' },
  async run({ arguments: { agent }, options }, world) {
    const client = await createClient(options, world)
    await client.read({ method: 'DELETE', path: ['agents', agent] })
    const print = createPrinter(world)
    if (options.json) return print.json({ removed: agent })
    print.line(`${agent} is removed, with its tokens and credentials.`)
  },
})

export const agentCommands = [list, add, renew, remove]

/** @throws {Problem} `cli.file_unreadable` */
async function readKeys(file: string | undefined, { directory }: Pick<World, 'directory'>): Promise<unknown> {
  if (file === undefined) return undefined
  try {
    return JSON.parse(await readFile(resolve(directory, file), 'utf8'))
  } catch (error) {
    throw problem('cli.file_unreadable', { file, cause: error })
  }
}

function show({ agent, clientSecret, tokenUrl }: MadeAgent, print: Pick<Printer, 'line'>): void {
  const proof = clientSecret === undefined ? 'its own keys' : `${clientSecret} (shown this once)`
  print.line(`Agent ${agent.name}\n\n  client id  ${agent.clientId}\n  secret     ${proof}\n  tokens at  ${tokenUrl}\n`)
  print.line(`Give it its own token for a server with: sekisho token set <server> --user ${agent.name}`)
}
