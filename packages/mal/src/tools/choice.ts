import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type ClientCapabilities,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { ToolCall } from './tool.ts'

/** Leaves a call that cannot go on before a person has answered. It carries what the client is answered with. */
export class Unanswered extends Error {
  readonly result: InputRequiredResult

  constructor(result: InputRequiredResult) {
    super('A person is asked first.')
    this.name = 'Unanswered'
    this.result = result
  }
}

/** What was chosen in this call so far, by the number of the question; null where the person declined. */
const Chosen = z.record(z.string(), z.string().nullable())
const Answer = z.object({ choice: z.string() })

/**
 * Questions of one call. The call is run again with each answer, so that it looks the same to a client of any
 * revision; earlier answers travel with the client. They are no secret and no proof of anything: an answer counts only
 * where it is one of the options of that moment.
 *
 * @see MCP 2026-07-28, basic/patterns/mrtr; 2025-11-25, client/elicitation
 */
export function createChoice(mcp: McpServer, ctx: ServerContext): ToolCall['choose'] {
  const { inputResponses } = ctx.mcpReq
  const before = readState(ctx.mcpReq.requestState<string>())
  let asked = 0

  return async (question, options) => {
    if (!canAsk(mcp, ctx)) return undefined
    const key = `question${(asked += 1)}`
    const chosen = before[key] === undefined ? read(key) : before[key]
    if (chosen === null || options.some(({ value }) => value === chosen)) return chosen ?? undefined
    throw new Unanswered(
      inputRequired({
        inputRequests: {
          [key]: inputRequired.elicit({
            message: question,
            requestedSchema: {
              type: 'object',
              properties: {
                choice: {
                  type: 'string',
                  title: 'Choice',
                  oneOf: options.map(({ value, label }) => ({ const: value, title: label })),
                },
              },
              required: ['choice'],
            },
          }),
        },
        requestState: JSON.stringify(answered()),
      }),
    )
  }

  /** Null where they declined, `undefined` where they were not asked. */
  function read(key: string): string | null | undefined {
    const answer = inputResponse(inputResponses, key)
    if (answer.kind !== 'elicit') return undefined
    return answer.action === 'accept' ? Answer.safeParse(answer.content).data?.choice : null
  }

  function answered(): z.infer<typeof Chosen> {
    const now = Array.from({ length: asked - 1 }, (_, index) => `question${index + 1}`)
    return Object.fromEntries(now.map((key) => [key, before[key] === undefined ? (read(key) ?? null) : before[key]]))
  }
}

/** Forms are what a client can show that says it can elicit, unless it says that it only opens pages. */
export function canAsk(mcp: McpServer, { mcpReq }: ServerContext): boolean {
  const envelope: { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined = mcpReq.envelope
  const { elicitation } = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? mcp.server.getClientCapabilities() ?? {}
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

function readState(state: string | undefined): z.infer<typeof Chosen> {
  try {
    return Chosen.parse(JSON.parse(state ?? '{}'))
  } catch {
    return {}
  }
}
