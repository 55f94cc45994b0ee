import type { Counts, Standing } from '../registry/registry.ts'

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
  /** How many there are of these, where that is known and not none. */
  readonly prompts?: number
  readonly resources?: number
  readonly description?: string | undefined
  readonly reason?: string
  readonly fix?: string
  /** What else there is to know. */
  readonly note?: string
  /** When the list of tools was last fetched or tried, as ISO 8601. */
  readonly checkedAt?: string
}

/** What is known of a server besides its tools. */
export interface StatusFacts {
  /** How many there are of each kind. */
  counts(standing: Standing): Counts
  /** Something a user should know; `undefined` for most servers. */
  note(standing: Standing): string | undefined
}

const NO_FACTS: StatusFacts = { counts: () => ({}), note: () => undefined }

/** How things stand, for a model and for a program. `standings` are those of the tools. */
export function describeStatus(
  standings: readonly Standing[],
  facts: StatusFacts = NO_FACTS,
): { text: string; servers: ServerStatus[] } {
  const servers = standings.map((standing) => toStatus(standing, facts))
  const count = (wanted: ServerStatus['state']) => servers.filter(({ state }) => state === wanted).length
  const idle = count('idle') === 0 ? '' : ` ${count('idle')} start when they are called.`
  const first = `${count('ready')} of ${servers.length} servers are ready.${idle}`
  return { text: [first, ...servers.map(toLine)].join('\n'), servers }
}

function toStatus(standing: Standing, { counts, note }: StatusFacts): ServerStatus {
  const { definition, items, fetchedAt, failure } = standing
  const { prompts = 0, resources = 0, templates = 0 } = counts(standing)
  const noted = note(standing)
  return {
    server: definition.id,
    state: stateOf(standing),
    tools: items.length,
    ...(prompts === 0 ? {} : { prompts }),
    ...(resources + templates === 0 ? {} : { resources: resources + templates }),
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(failure ? { reason: failure.message, fix: failure.fix } : {}),
    ...(noted === undefined ? {} : { note: noted }),
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

function toLine(status: ServerStatus): string {
  const { server, state, tools, reason, fix, note } = status
  const noted = note === undefined ? '' : `; ${note}`
  if (state === 'ready') return `- ${server}: ready, ${has(status)}${noted}`
  if (state === 'idle')
    return `- ${server}: does not run, starts when it is called; ${has(status)} as last known${noted}`
  const known = tools > 0 ? ` Its ${tools} tools are listed as they were last known.` : ''
  return `- ${server}: ${WORDS[state]}. ${reason} ${fix}${known}`
}

function has({ tools, prompts = 0, resources = 0 }: ServerStatus): string {
  const others = [several(prompts, 'prompt'), several(resources, 'resource')].filter((text) => !text.startsWith('0 '))
  return [several(tools, 'tool'), ...others].join(', ')
}

function several(many: number, word: string): string {
  return many === 1 ? `1 ${word}` : `${many} ${word}s`
}

/** How long it is worth a word that a server began anew, or describes its tools otherwise. */
const RESTART_NOTED_MS = 3_600_000
const CHANGE_NOTED_MS = 86_400_000

/** What a user should know of a server besides what it has; `undefined` for most. */
export function noteOf(standing: Standing, now: number, isReadOnly = false): string | undefined {
  const onlyRead = isReadOnly ? 'only its tools that change nothing are offered' : undefined
  const notes = [onlyRead, noteRestart(standing, now), noteChange(standing, now)].filter((note) => note !== undefined)
  return notes.length === 0 ? undefined : notes.join('; ')
}

/** Says that a server was restarted, for as long as somebody may wonder what became of what it knew. */
function noteRestart({ restartedAt }: Standing, now: number): string | undefined {
  if (restartedAt === undefined || now - restartedAt >= RESTART_NOTED_MS) return undefined
  return `was restarted ${ago(restartedAt, now)} ago: what it had in memory is gone`
}

/** Says that tools are not what they were: whoever allowed them looked at others. */
function noteChange({ changedAt }: Standing, now: number): string | undefined {
  if (changedAt === undefined || now - changedAt >= CHANGE_NOTED_MS) return undefined
  return `describes its tools otherwise since ${ago(changedAt, now)} ago: look at them before you go on allowing them`
}

function ago(then: number, now: number): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000)
  if (minutes >= 120) return several(Math.floor(minutes / 60), 'hour')
  return minutes === 0 ? 'less than a minute' : several(minutes, 'minute')
}
