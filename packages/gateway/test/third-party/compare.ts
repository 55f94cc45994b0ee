import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { addPerson } from '../e2e/place.ts'
import { callDirectly, callThrough, type Call, type Caller } from './callers.ts'
import { comparable, listed, lists, type Lists } from './lists.ts'

/** A server of somebody else's, and what a test asks of it. `%` stands for the folder of whoever calls. */
export interface ThirdParty {
  readonly id: string
  /** Its script, and the words after it. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Makes what it works on. */
  readonly prepare?: (folder: string) => void
  /** Without roots its client is another: some ask for them as soon as they have started, when nobody has called yet. */
  readonly rootless?: boolean
  /** Everything it lists, each at least once. */
  readonly calls: readonly Call[]
  /** What only the internet, or somebody at a screen, could answer. */
  readonly uncalled?: readonly string[] | 'others'
}

/** What a server has, and what it answered to each call, without what may differ. */
export interface Said {
  readonly lists: Lists
  readonly answers: readonly { readonly call: Call; readonly answer: unknown }[]
}

/** What was said to a client that has the server to itself, and to one of the gate. */
export interface Both {
  readonly own: Said
  readonly through: Said
}

/** A gate in front of some servers, to compare it with the servers themselves. */
export interface Bench extends AsyncDisposable {
  ask(server: ThirdParty, era: 'legacy' | 'modern'): Promise<Both>
  /** The same on the endpoint that has all servers in one; of each the first call only, and of its lists the names. */
  askMerged(): Promise<{ readonly own: readonly string[]; readonly through: readonly string[] }>
}

/** Opens a gate with these servers. Each user works in a folder that is named after their id. */
export async function openBench(servers: readonly ThirdParty[]): Promise<Bench> {
  await using open = new AsyncDisposableStack()
  const base = mkdtempSync(join(tmpdir(), 'sekisho-third-party-'))
  open.defer(() => rmSync(base, { recursive: true, force: true }))
  const entries = servers.map((server) => [server.id, entryOf(server, base)])
  const gate = open.use(await startGate({ config: { mcpServers: Object.fromEntries(entries) } }))

  const sayings = new Map<ThirdParty, Promise<Said>>()

  function folderFor(name: string, prepared: readonly ThirdParty[]): string {
    const folder = join(base, name)
    mkdirSync(folder)
    for (const { prepare } of prepared) prepare?.(folder)
    return folder
  }

  /** What a server says to a client that has it to itself; asked for once. */
  function sayingOf(server: ThirdParty): Promise<Said> {
    const saying = sayings.get(server) ?? askDirectly(server)
    sayings.set(server, saying)
    return saying
  }

  async function askDirectly(server: ThirdParty): Promise<Said> {
    const folder = folderFor(`direct-${server.id}`, [server])
    const at = (word: string) => word.replaceAll('%', folder)
    const env = Object.fromEntries(Object.entries(server.env ?? {}).map(([key, value]) => [key, at(value)]))
    const program = { command: process.execPath, args: server.args.map(at), env: { ...PATH, ...env } }
    await using caller = await callDirectly(program, rootOf(server, folder))
    return await said(server, { folder, caller })
  }

  async function askThrough(server: ThirdParty, era: 'legacy' | 'modern'): Promise<Said> {
    const { id, key } = await addPerson(gate, `${server.id}-${era}`)
    const folder = folderFor(id, [server])
    await using caller = await callThrough({ url: `${gate.url}/mcp/${server.id}`, key }, era, rootOf(server, folder))
    return await said(server, { folder, caller })
  }

  const opened = open.move()
  return {
    async ask(server, era) {
      const [own, through] = await Promise.all([sayingOf(server), askThrough(server, era)])
      return { own, through }
    },

    async askMerged() {
      const { id, key } = await addPerson(gate, 'merged')
      const folder = folderFor(id, servers)
      await using caller = await callThrough(
        { url: `${gate.url}/mcp`, key },
        'modern',
        rootOf(servers.find(isRootless), folder),
      )
      const there = namesIn(await listed(caller))
      const [own, through]: [string[], string[]] = [[], there.filter((name) => name !== 'sekisho_status')]
      for (const server of servers) {
        const { lists: ownLists, answers } = await sayingOf(server)
        own.push(...namesIn(ownLists, server.id))
        for (const { call, answer } of answers.slice(0, 1)) {
          own.push(JSON.stringify(answer))
          through.push(JSON.stringify(await answerTo(call, { folder, caller, merged: server.id })))
        }
      }
      return { own: own.sort(), through: through.sort() }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What is listed, and called by nobody here. */
export function forgotten({ calls, uncalled = [] }: ThirdParty, { tools, prompts, resources }: Lists): unknown[] {
  if (uncalled === 'others') return []
  const called = new Set<unknown>([...calls.map((call) => Object.values(call)[0]), ...uncalled])
  const names = [...tools, ...prompts].map(({ name }) => name)
  return [...names, ...resources.map(({ uri }) => uri)].filter((name) => !called.has(name))
}

function rootOf(server: ThirdParty | undefined, folder: string): string | undefined {
  return server && isRootless(server) ? undefined : folder
}

function isRootless({ rootless = false }: ThirdParty): boolean {
  return rootless
}

const PATH = { PATH: process.env['PATH'] ?? '' }

/** Whoever calls, and the folder they work in. */
interface Side {
  readonly folder: string
  readonly caller: Caller
  /** The server, where it is one of many. */
  readonly merged?: string
}

async function said({ calls }: ThirdParty, side: Side): Promise<Said> {
  const answers: { call: Call; answer: unknown }[] = []
  const there = await listed(side.caller)
  for (const call of calls) answers.push({ call, answer: await answerTo(call, side) })
  return { lists: there, answers }
}

async function answerTo(call: Call, { folder, caller, merged }: Side): Promise<unknown> {
  const own: Call = JSON.parse(JSON.stringify(call).replaceAll('%', folder))
  const answer = await caller.call(merged === undefined ? own : byMergedName(own, merged))
  return comparable(answer, { folder, merged, vague: 'vague' in call && call.vague })
}

function byMergedName(call: Call, server: string): Call {
  if ('tool' in call) return { ...call, tool: exposed(server, 'name', call.tool) }
  if ('prompt' in call) return { ...call, prompt: exposed(server, 'name', call.prompt) }
  return 'resource' in call ? { resource: exposed(server, 'uri', call.resource) } : call
}

function namesIn(there: Lists, merged?: string): string[] {
  return lists.flatMap(({ member, key }) =>
    there[member].map((item) => (merged === undefined ? String(item[key]) : exposed(merged, key, String(item[key])))),
  )
}

/** What something is called where all servers are one. */
function exposed(server: string, key: string, own: string): string {
  if (key === 'name') return `${server}__${own}`
  return own.startsWith('ui://') ? own.replace('ui://', `ui://${server}+`) : `${server}+${own}`
}

/** The entry of the configuration: where the server alone is told a folder, the gate names its user. */
function entryOf({ args, env = {} }: ThirdParty, base: string): object {
  const value = (text: string) => (text.includes('%') ? { $user: text.replaceAll('%', `${base}/{{id}}`) } : text)
  return {
    command: process.execPath,
    args: args.map(value),
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)])),
  }
}
