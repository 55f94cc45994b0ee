import { connectClient, type ClientEra, type ScenarioClient, type Tool } from './client.ts'
import { connectAccount, joinGate, linkIn, type Member } from './connect.ts'
import { openScenarioGate, type ScenarioGate } from './gate.ts'

/** What the suite wants of a client. */
export interface Order {
  /** Of the scenario's server. */
  readonly url: string
  readonly scenario: string
  readonly revision: string
  readonly context: Context
}

interface Context {
  readonly client_id?: string
  readonly client_secret?: string
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: object }[]
}

/** How it went, in words for whoever asks why. */
export interface ScenarioReport {
  readonly ok: boolean
  readonly report: string
}

/**
 * Runs one client scenario: a gate whose one server is the scenario's, a user who connects an account where that is
 * asked for, and clients of both eras that use all the server has. Never throws: what fails is in the report.
 */
export async function runScenario(order: Order): Promise<ScenarioReport> {
  const steps: string[] = []
  const note = (step: string) => void steps.push(step)
  try {
    await using gate = await openScenarioGate(configOf(order))
    try {
      await useServer(order, gate, note)
      return { ok: true, report: steps.join('\n') }
    } catch (error) {
      note(error instanceof Error ? (error.stack ?? error.message) : String(error))
      return { ok: false, report: [...steps, gate.log()].join('\n') }
    }
  } catch (error) {
    note(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return { ok: false, report: steps.join('\n') }
  }
}

function configOf({ url, scenario, context }: Order): object {
  const { client_id: clientId, client_secret: clientSecret } = context
  const oauth = clientId === undefined ? true : { clientId, clientSecret }
  return {
    mcpServers: { [SERVER]: { url, ...(scenario.startsWith('auth/') && { oauth }) } },
    // The scenario's authorization server is on loopback too, on a port that only the server tells.
    outbound: { allowedHosts: ['localhost:*'], clientMetadataUrl: CLIENT_METADATA_URL },
  }
}

const SERVER = 'suite'

/** What the suite knows a client by that has a metadata document; nobody fetches it. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'

async function useServer(order: Order, gate: ScenarioGate, note: (step: string) => void): Promise<void> {
  const member = await joinGate(gate)
  const url = `${gate.url}/mcp/${SERVER}`
  for (const era of erasOf(order)) {
    await using client = await connectClient(url, member.key, era)
    await useAll(client, { order, member, note: (step) => note(`${era}: ${step}`) })
  }
}

/**
 * A server of the older revisions is used by a client of its own era, one of 2026-07-28 by both. Where accounts are
 * connected one client is enough: what a second one does would count as a second attempt. And some of these servers
 * answer `initialize`, which their revision has not got: by an older client they would be taken for an older server.
 */
function erasOf({ revision, scenario }: Order): readonly ClientEra[] {
  if (revision !== '2026-07-28') return ['legacy']
  return /^(?:auth\/|http-|sep-2640-|request-metadata)/.test(scenario) ? ['modern'] : ['modern', 'legacy']
}

interface Using {
  readonly order: Order
  readonly member: Member
  note(step: string): void
}

/** As often as a user would go through an authorization server before giving up. */
const CONNECTED_MOST = 3

async function useAll(client: ScenarioClient, using: Using): Promise<void> {
  const { note } = using
  if (using.order.scenario.startsWith('auth/')) await callConnected(client, 'test-tool', using)
  const tools = await client.listTools()
  note(`tools ${tools.map(({ name }) => name).join(', ')}`)
  for (const { name, args } of callsFor(tools, using.order.context)) await callConnected(client, name, using, args)
  await client.readAll()
}

/** Calls a tool; where the answer is a page to connect an account at, that is done, and the call made again. */
async function callConnected(client: ScenarioClient, name: string, { member, note }: Using, args = {}): Promise<void> {
  for (let connected = 0; ; connected++) {
    const { content } = await client.callTool(name, args)
    const text = content.map((block) => block.text ?? '').join(' ')
    note(`${name} ${text}`)
    const link = linkIn(text)
    if (link === undefined || connected === CONNECTED_MOST) return
    await connectAccount(member, link)
    note('connected')
  }
}

interface Call {
  readonly name: string
  readonly args: object
}

/** The calls the suite asks for, or else one of each tool; the schema that one is to be shown is the first one's. */
function callsFor(tools: readonly Tool[], { toolCalls }: Context): Call[] {
  if (toolCalls) return toolCalls.map(({ name, arguments: args }) => ({ name, args }))
  const [first] = tools
  return tools.map(({ name, inputSchema }) => ({ name, args: sample(inputSchema, first?.inputSchema) }))
}

/** A value of the right type for each argument. */
function sample(schema: object | undefined, shown: object | undefined): object {
  const properties: unknown = schema && Reflect.get(schema, 'properties')
  const named = typeof properties === 'object' && properties !== null ? Object.entries(properties) : []
  return Object.fromEntries(named.map(([name, one]) => [name, sampleOf(Reflect.get(Object(one), 'type'), shown)]))
}

function sampleOf(type: unknown, shown: object | undefined): unknown {
  if (type === 'number' || type === 'integer') return 5
  if (type === 'boolean') return true
  return type === 'object' ? shown : 'sample'
}
