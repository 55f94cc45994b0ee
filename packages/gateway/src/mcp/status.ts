import type { Standing } from '../registry/registry.ts'

/** The tool that says why others are missing. It is the gate's own, and reaches no upstream. */
export const statusTool = {
  name: 'sekisho_status',
  json: Buffer.from(
    JSON.stringify({
      name: 'sekisho_status',
      title: 'Which servers are connected, and why tools are missing',
      description:
        'Lists the MCP servers behind this address: whether each one works for you, how many tools it has, and what to do where one is missing or needs your token. Call it when a tool you expect is not there or fails.',
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    }),
  ),
}

interface ServerStatus {
  readonly server: string
  readonly state: 'ready' | 'idle' | 'needs_token' | 'needs_account' | 'unavailable'
  readonly tools: number
  readonly description?: string | undefined
  readonly reason?: string
  readonly fix?: string
  /** When the list of tools was last fetched or tried, as ISO 8601. */
  readonly checkedAt?: string
}

/** How things stand, for a model and for a program. */
export function describeStatus(standings: readonly Standing[]): { text: string; servers: ServerStatus[] } {
  const servers = standings.map(toStatus)
  const count = (wanted: ServerStatus['state']) => servers.filter(({ state }) => state === wanted).length
  const idle = count('idle') === 0 ? '' : ` ${count('idle')} start when they are called.`
  const first = `${count('ready')} of ${servers.length} servers are ready.${idle}`
  return { text: [first, ...servers.map(toLine)].join('\n'), servers }
}

function toStatus(standing: Standing): ServerStatus {
  const { definition, tools, fetchedAt, failure } = standing
  return {
    server: definition.id,
    state: stateOf(standing),
    tools: tools.length,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(failure ? { reason: failure.message, fix: failure.fix } : {}),
    ...(fetchedAt === undefined ? {} : { checkedAt: new Date(fetchedAt).toISOString() }),
  }
}

/** What the user can bring. */
const MISSING: Readonly<Record<string, ServerStatus['state']>> = {
  'token.required': 'needs_token',
  'connection.required': 'needs_account',
  'connection.rejected': 'needs_account',
}

const WORDS: Readonly<Record<string, string>> = {
  needs_token: 'needs your token',
  needs_account: 'needs your account',
  unavailable: 'unavailable',
}

function stateOf({ failure, idle }: Standing): ServerStatus['state'] {
  if (failure) return MISSING[failure.code] ?? 'unavailable'
  return idle ? 'idle' : 'ready'
}

function toLine({ server, state, tools, reason, fix }: ServerStatus): string {
  if (state === 'ready') return `- ${server}: ready, ${tools === 1 ? '1 tool' : `${tools} tools`}`
  if (state === 'idle') return `- ${server}: does not run, starts when it is called; ${tools} tools as last known`
  const known = tools > 0 ? ` Its ${tools} tools are listed as they were last known.` : ''
  return `- ${server}: ${WORDS[state]}. ${reason} ${fix}${known}`
}
