import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server'
import type { MalReader } from '../api/client.ts'
import { readWholeList, type WholeList } from '../api/list.ts'
import { MalProblem } from '../api/problem.ts'
import type { Caller } from '../auth/credentials.ts'
import type { Mal } from '../settings.ts'

export interface ToolNeeds {
  readonly mal: Mal
  readonly caller: Caller
}

/** How a tool joins a server. */
export type Register = (mcp: McpServer, needs: ToolNeeds) => void

/** What one call can do: read as its caller, for as long as the call may take. */
export interface Reading extends MalReader {
  wholeList(): Promise<WholeList>
}

/** Every tool here reads, changes nothing, and asks a world outside. */
export const readOnly = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true }

/**
 * Runs one tool call. What MyAnimeList refuses becomes a result that says what to do; a rejected token is renewed
 * once where that is possible. A fault of our own is reported and shown to nobody.
 */
export async function answer(
  { mal, caller }: ToolNeeds,
  ctx: ServerContext,
  work: (reading: Reading) => Promise<CallToolResult>,
): Promise<CallToolResult> {
  const deadline = AbortSignal.timeout(mal.callTimeoutMs)
  const signal = AbortSignal.any([ctx.mcpReq.signal, deadline])
  try {
    return await asCaller()
  } catch (error) {
    if (error instanceof MalProblem) return fail(error)
    if (ctx.mcpReq.signal.aborted) throw error
    if (deadline.aborted) return fail(new MalProblem('timeout'))
    mal.onerror(error instanceof Error ? error : new Error(String(error)))
    return failed('This call failed for a reason of the server itself. Trying again may help.')
  }

  async function asCaller(): Promise<CallToolResult> {
    const { credentials } = caller
    const token = await credentials.token()
    if (token === undefined) throw new MalProblem('token_missing')
    try {
      return await work(open(mal.api.open({ token, signal })))
    } catch (error) {
      if (!(error instanceof MalProblem) || error.code !== 'token_rejected' || !credentials.renew) throw error
      const renewed = await credentials.renew(token)
      return work(open(mal.api.open({ token: renewed, signal })))
    }
  }

  function open(reader: MalReader): Reading {
    return {
      ...reader,
      wholeList: () => readWholeList(reader, { maxEntries: mal.maxEntries, progress: (entries) => tell(ctx, entries) }),
    }
  }

  function fail(problem: MalProblem): CallToolResult {
    if (problem.code === 'token_missing' || problem.code === 'token_rejected') caller.refused?.(problem.code)
    return failed(problem.message)
  }
}

/** A result in both forms: for programs, and for the model that reads it. */
export function done(structuredContent: Record<string, unknown>, lines: readonly string[]): CallToolResult {
  return { structuredContent, content: [{ type: 'text', text: lines.join('\n') }] }
}

/** The first line of whatever counts on a list that was not read to its end. */
export function warningOf({ entries, truncated }: WholeList): string | undefined {
  if (!truncated) return undefined
  return `WARNING: the list goes on; only its first ${entries.length} entries were read, and everything below is about these.`
}

function failed(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }] }
}

async function tell(ctx: ServerContext, progress: number): Promise<void> {
  const { progressToken } = ctx.mcpReq._meta ?? {}
  if (progressToken === undefined) return
  const message = `${progress} entries read`
  await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
}
