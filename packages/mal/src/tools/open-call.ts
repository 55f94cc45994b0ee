import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import type { ApiClient } from '#kit/api'
import type { Secret } from '#kit/secret'
import { MalProblem } from '../api/problem.ts'
import { createAccount } from '../auth/account.ts'
import type { Caller } from '../auth/credentials.ts'
import { entriesOf } from '../list/count.ts'
import { openSession } from '../open-session.ts'
import type { Mal } from '../settings.ts'
import { canAsk, createChoice } from './choice.ts'
import type { Offer } from './offer.ts'
import type { ToolCall } from './tool.ts'

export interface CallNeeds {
  readonly mcp: McpServer
  readonly ctx: ServerContext
  readonly mal: Mal
  readonly caller: Caller
  readonly offer: Offer
  /** Absent where the call brought no credential. */
  readonly signedIn: { readonly token: Secret; readonly client: ApiClient } | undefined
  readonly signal: AbortSignal
  /** In milliseconds since the epoch. */
  readonly endsAt: number
}

/** What one run of a tool works with, and the lines that its answer is to begin with. */
export function openCall(needs: CallNeeds): { readonly call: ToolCall; readonly notices: ReadonlySet<string> } {
  const { mcp, ctx, mal, caller, offer, signedIn, signal, endsAt } = needs
  const notices = new Set<string>()
  const progress = createProgress(ctx)
  const session = openSession({
    mal,
    client: signedIn?.client ?? nobody,
    signal,
    onEntries: (entries) => progress(entries, undefined, `${entriesOf(entries)} read`),
    onNotice: (line) => void notices.add(line),
  })
  const call: ToolCall = {
    mal: session,
    account: createAccount({ mal, caller, signedIn, isReadOnly: offer.readOnly, signal }),
    now: mal.now,
    deadline: endsAt,
    wait: (ms, until) => mal.wait(ms, until ? AbortSignal.any([signal, until]) : signal),
    signal,
    async storage() {
      if (mal.storage === undefined) throw new MalProblem('storage_off')
      // The account's own, whoever signs in with it, as long as the same user of this server does.
      const { id } = await session.me()
      return mal.storage.forAccount(caller.owner, String(id))
    },
    exports: mal.exports,
    progress,
    canAsk: canAsk(mcp, ctx),
    choose: createChoice(mcp, ctx),
  }
  return { call, notices }
}

/**
 * Tells whoever asked to be told. MCP wants the figure to grow: work with a total goes on where reading ended, and a
 * figure that does not grow is left out.
 */
function createProgress({ mcpReq }: ServerContext): ToolCall['progress'] {
  const { progressToken } = mcpReq._meta ?? {}
  let last = -1
  let base = 0
  let knewTotal = false
  return async (done, total, message) => {
    if (knewTotal !== (total !== undefined)) base = Math.max(last, 0)
    knewTotal = total !== undefined
    const progress = base + done
    if (progressToken === undefined || progress <= last) return
    last = progress
    const params = { progressToken, progress, message, ...(total !== undefined && { total: base + total }) }
    await mcpReq.notify({ method: 'notifications/progress', params })
  }
}

/** Asks nothing for a call without a credential. */
const nobody: ApiClient = {
  account: '',
  until: () => nobody,
  request: refuse,
  follow: refuse,
}

async function refuse(): Promise<never> {
  throw new MalProblem('token_missing')
}
