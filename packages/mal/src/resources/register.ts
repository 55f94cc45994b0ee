import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
  type McpServer,
} from '@modelcontextprotocol/server'
import { MalProblem, type MalProblemCode } from '../api/problem.ts'
import { asCaller } from '../as-caller.ts'
import type { Caller } from '../auth/credentials.ts'
import { openSession } from '../open-session.ts'
import type { MalSession } from '../session.ts'
import type { Mal } from '../settings.ts'
import type { Resource } from './resource.ts'
import { resources } from './table.ts'

export interface ResourceNeeds {
  readonly mcp: McpServer
  readonly mal: Mal
  readonly caller: Caller
}

/** Somebody who types waits no longer than this for what it could become. */
const COMPLETION_MS = 5000

/** Registers the table: what MyAnimeList refuses is an error that says what to do. */
export function registerResources(needs: ResourceNeeds): void {
  for (const row of resources) {
    const { name, uri, title, description, mimeType } = row
    const config = { title, description, mimeType, cacheHint: own }
    if (uri.includes('{id}')) {
      const complete = { id: (typed: string) => completeOne(needs, row, typed) }
      needs.mcp.registerResource(
        name,
        new ResourceTemplate(uri, { list: undefined, complete }),
        config,
        (at, { id }, ctx) => readOne(needs, row, { uri: at.href, id: String(id), signal: ctx.mcpReq.signal }),
      )
    } else {
      needs.mcp.registerResource(name, uri, config, (at, ctx) =>
        readOne(needs, row, { uri: at.href, id: '', signal: ctx.mcpReq.signal }),
      )
    }
  }
}

/** What one account reads is nobody else's. */
const own = { ttlMs: 60_000, cacheScope: 'private' } as const

interface Asked {
  readonly uri: string
  readonly id: string
  readonly signal: AbortSignal
}

async function readOne({ mal, caller }: ResourceNeeds, { read, mimeType }: Resource, { uri, id, signal }: Asked) {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(mal.callTimeoutMs)])
  try {
    const text = await inSession({ mal, caller, signal: deadline }, (session) => read(session, id))
    return { contents: [{ uri, mimeType, text }] }
  } catch (error) {
    // Whoever sits in front signs them in; nobody is sent there because they type.
    if (error instanceof MalProblem && isRefused(error.code)) caller.refused?.(error.code)
    if (error instanceof MalProblem && error.code === 'not_found') throw new ResourceNotFoundError(uri, error.message)
    if (error instanceof MalProblem) throw new ProtocolError(ProtocolErrorCode.InternalError, error.message)
    throw error
  }
}

function isRefused(code: MalProblemCode): code is 'token_missing' | 'token_rejected' {
  return code === 'token_missing' || code === 'token_rejected'
}

/** Nothing to choose from where MyAnimeList cannot be asked: whoever types can go on typing. */
async function completeOne({ mal, caller }: ResourceNeeds, { complete }: Resource, typed: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(COMPLETION_MS)
    return [...(await inSession({ mal, caller, signal }, async (session) => (await complete?.(session, typed)) ?? []))]
  } catch {
    return []
  }
}

function inSession<Result>(
  { mal, caller, signal }: Pick<ResourceNeeds, 'mal' | 'caller'> & { readonly signal: AbortSignal },
  work: (session: MalSession) => Promise<Result>,
): Promise<Result> {
  return asCaller(caller, async (token) => {
    if (token === undefined) throw new MalProblem('token_missing')
    return work(
      openSession({
        mal,
        client: mal.api.open({ token, signal }),
        signal,
        onEntries: async () => {},
        onNotice: () => {},
      }),
    )
  })
}
