import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server'
import type { ApiClient } from '#kit/api'
import type { Secret } from '#kit/secret'
import { MalProblem } from '../api/problem.ts'
import { asCaller } from '../as-caller.ts'
import { keyOf } from '../auth/account.ts'
import type { Caller } from '../auth/credentials.ts'
import type { Mal } from '../settings.ts'
import { Unanswered } from './choice.ts'
import type { Offer } from './offer.ts'
import { openCall } from './open-call.ts'
import { prepared } from './schema.ts'
import type { Effect, Told, ToldFile, Tool } from './tool.ts'

export interface RunNeeds {
  readonly mcp: McpServer
  readonly mal: Mal
  readonly caller: Caller
  readonly offer: Offer
}

/** Turns a row of the table into what servers register. The schemas are made once, servers live for one request. */
export function prepareTool(row: Tool) {
  const config = {
    title: row.title,
    description: row.description,
    inputSchema: prepared(row.input),
    outputSchema: prepared(row.output),
    annotations: annotationsOf(row.effect, row.idempotent ?? false),
    // For whoever is in front and leaves groups of tools out.
    _meta: { toolset: row.toolset },
  }
  return {
    row,
    register(needs: RunNeeds): void {
      needs.mcp.registerTool(row.name, config, (args, ctx) => runTool(needs, row, args, ctx))
    },
  }
}

export type PreparedTool = ReturnType<typeof prepareTool>

/**
 * Runs one tool call. What MyAnimeList refuses becomes a result that says what to do; a rejected token is renewed
 * once where that is possible. A fault of our own is reported and shown to nobody.
 */
async function runTool(
  needs: RunNeeds,
  row: Tool,
  args: Record<string, unknown>,
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const { mal, caller } = needs
  const startedAt = mal.now()
  const deadline = AbortSignal.timeout(mal.callTimeoutMs)
  const signal = AbortSignal.any([ctx.mcpReq.signal, deadline])
  let client: ApiClient | undefined
  try {
    const result = await asCaller(caller, asToken)
    count('ok')
    return result
  } catch (error) {
    if (error instanceof Unanswered) {
      count('asked')
      return error.result
    }
    if (ctx.mcpReq.signal.aborted) {
      count('left')
      throw error
    }
    if (error instanceof MalProblem) return fail(error)
    if (deadline.aborted) return fail(new MalProblem('timeout'))
    count('fault')
    mal.onerror(error instanceof Error ? error : new Error(String(error)))
    return failed('This call failed for a reason of the server itself. Trying again may help.', 'fault')
  }

  async function asToken(token: Secret | undefined): Promise<CallToolResult> {
    if (token === undefined && row.needsAccount !== false) throw new MalProblem('token_missing')
    if (row.needsStorage && mal.storage === undefined) throw new MalProblem('storage_off')
    client = token && mal.api.open({ token, signal })
    const signedIn = token && client && { token, client }
    const { call, notices } = openCall({ ...needs, ctx, signedIn, signal, endsAt: startedAt + mal.callTimeoutMs })
    const told = await row.run(call, args)
    return resultOf({ ...told, lines: [...notices, ...told.lines] })
  }

  function fail(problem: MalProblem): CallToolResult {
    const { code, message } = problem
    count(code)
    mal.failures.note({ who: keyOf(caller, client), account: client?.account }, problem, mal.now())
    if (code === 'token_missing' || code === 'token_rejected') caller.refused?.(code)
    return failed(message, code)
  }

  function count(outcome: string): void {
    mal.counters.add({ account: client?.account, what: `tool ${row.name}`, outcome, ms: mal.now() - startedAt })
  }
}

/** @see MCP 2026-07-28, schema, ToolAnnotations */
function annotationsOf(effect: Effect, idempotent: boolean): ToolAnnotations {
  return {
    readOnlyHint: effect === 'reads',
    destructiveHint: effect === 'overwrites',
    idempotentHint: effect === 'reads' || idempotent,
    openWorldHint: true,
  }
}

/** A result in both forms: for programs, and for the model that reads it. */
function resultOf({ data, lines, files = [] }: Told<Record<string, unknown>>): CallToolResult {
  return {
    structuredContent: data,
    content: [{ type: 'text', text: lines.join('\n') }, ...files.map(resourceOf)],
  }
}

function resourceOf({ name, mimeType, text, bytes }: ToldFile) {
  const uri = `mal://files/${encodeURIComponent(name)}`
  return bytes === undefined
    ? { type: 'resource' as const, resource: { uri, mimeType, text: text ?? '' } }
    : { type: 'resource' as const, resource: { uri, mimeType, blob: Buffer.from(bytes).toString('base64') } }
}

/** The code is for programs: the words may get better. */
function failed(text: string, code: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }], _meta: { 'mal/code': code } }
}
