import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { z } from 'zod'

/** One of the two ways in which a client speaks to the gate. */
export type ClientEra = 'modern' | 'legacy'

/** A client of the gate that uses all there is; what it is answered is kept as it came. */
export interface ScenarioClient extends AsyncDisposable {
  listTools(): Promise<readonly Tool[]>
  callTool(name: string, args: object): Promise<ToolResult>
  /** Lists prompts and resources and asks for each, where there are any; skills are listed only. */
  readAll(): Promise<void>
}

const Tool = z.looseObject({ name: z.string(), inputSchema: z.looseObject({}).optional() })
export type Tool = z.infer<typeof Tool>
const Tools = z.looseObject({ tools: z.array(Tool) })

const ToolResult = z.looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })).default([]) })
type ToolResult = z.infer<typeof ToolResult>

const SKILLS = 'io.modelcontextprotocol/skills'

const CLIENT = { name: 'conformance-client', version: '1.0.0' }

/** Connects; the client accepts every form it is shown, with the values the form proposes. */
export async function connectClient(url: string, key: string, era: ClientEra): Promise<ScenarioClient> {
  const client = new Client(CLIENT, {
    capabilities: { elicitation: {} },
    versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
  })
  client.setRequestHandler('elicitation/create', ({ params }) => {
    const fields = 'requestedSchema' in params ? params.requestedSchema.properties : {}
    return { action: 'accept', content: Object.fromEntries(Object.entries(fields).map(proposed)) }
  })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }),
  )

  return {
    async listTools() {
      const { tools } = await client.request({ method: 'tools/list' }, Tools)
      // Whoever calls by the rules has seen which arguments go into headers; its own list leaves out what is wrong.
      if (era === 'modern') await client.listTools()
      return tools
    },
    async callTool(name, args) {
      return ToolResult.parse(await client.callTool({ name, arguments: { ...args } }))
    },
    async readAll() {
      const { prompts, resources, extensions } = client.getServerCapabilities() ?? {}
      if (prompts) for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
      if (resources) for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
      if (extensions?.[SKILLS]) await client.request({ method: 'skills/list', params: {} }, z.looseObject({}))
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** What a form proposes for a field; a box to be ticked is ticked. */
function proposed([name, schema]: [string, object]): [string, string | number | boolean] {
  const value = 'default' in schema ? schema.default : true
  return [name, typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : true]
}
