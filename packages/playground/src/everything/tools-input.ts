import {
  inputRequired,
  inputResponse,
  type InputRequest,
  type InputRequiredResult,
  type CallToolResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './tools-content.ts'

/**
 * Tools that ask the user or the model one question. Each is written once: a 2026-07-28 client gets the question as
 * an `input_required` result, a client of an older revision as a request on its session.
 */
export function registerInputTools(mcp: McpServer): void {
  mcp.registerTool(
    'test_sampling',
    { description: "Passes a prompt to the client's model.", inputSchema: prompted },
    ({ prompt }, ctx) => askModel(ctx, prompt, 100),
  )
  mcp.registerTool('test_missing_capability', { description: "Cannot work without the client's model." }, (ctx) =>
    askModel(ctx, 'Is anybody there?', 10),
  )
  mcp.registerTool(
    'test_elicitation',
    { description: 'Asks the user for a name and an email address.', inputSchema: messaged },
    ({ message }, ctx) => askUser(ctx, 'User response', account(message)),
  )
  mcp.registerTool(
    'test_streaming_elicitation',
    { description: 'Reports progress, then asks the user.' },
    async (ctx) => {
      const { progressToken } = ctx.mcpReq._meta ?? {}
      if (progressToken !== undefined) {
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: 50, total: 100 },
        })
      }
      return askUser(ctx, 'User response', account('Who are you?'))
    },
  )
  mcp.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with a default in every field.' }, (ctx) =>
    askUser(ctx, 'Elicitation completed', withDefaults),
  )
  mcp.registerTool('test_elicitation_sep1330_enums', { description: 'Asks with every kind of choice.' }, (ctx) =>
    askUser(ctx, 'Elicitation completed', withChoices),
  )
  mcp.registerTool(
    'test_elicitation_url',
    { description: 'Asks the user to open a page.', inputSchema: paged },
    ({ url }, ctx) =>
      askUser(ctx, 'User response', inputRequired.elicitUrl({ url, message: 'Please open this page.' })),
  )
}

function askModel(ctx: ServerContext, prompt: string, maxTokens: number): CallToolResult | InputRequiredResult {
  const answer = inputResponse(ctx.mcpReq.inputResponses, 'answer')
  if (answer.kind === 'sampling') return text(`LLM response: ${spoken(answer.result.content)}`)
  return inputRequired({ inputRequests: { answer: question(prompt, maxTokens) } })
}

function askUser(ctx: ServerContext, label: string, ask: InputRequest): CallToolResult | InputRequiredResult {
  const answer = inputResponse(ctx.mcpReq.inputResponses, 'answer')
  if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { answer: ask } })
  return text(`${label}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
}

/** One question to the client's model. */
export function question(prompt: string, maxTokens: number): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens,
  })
}

/** What the model said, whatever mixture of blocks it said it in. */
export function spoken(content: unknown): string {
  const blocks: unknown[] = Array.isArray(content) ? content : [content]
  return blocks.map((block) => Spoken.safeParse(block).data?.text ?? '').join('')
}

const Spoken = z.object({ type: z.literal('text'), text: z.string() })

const prompted = z.object({ prompt: z.string().describe('What to ask the model') })
const messaged = z.object({ message: z.string().describe('What to tell the user') })
const paged = z.object({ url: z.url().default('http://127.0.0.1/') })

const account = (message: string): InputRequest =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      },
      required: ['username', 'email'],
    },
  })

const withDefaults = inputRequired.elicit({
  message: 'Please check these values.',
  requestedSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    },
    required: [],
  },
})

const withChoices = inputRequired.elicit({
  message: 'Please choose.',
  requestedSchema: {
    type: 'object',
    properties: {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: {
        type: 'string',
        oneOf: [
          { const: 'value1', title: 'First Option' },
          { const: 'value2', title: 'Second Option' },
          { const: 'value3', title: 'Third Option' },
        ],
      },
      legacyEnum: {
        type: 'string',
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: {
        type: 'array',
        items: {
          anyOf: [
            { const: 'value1', title: 'First Choice' },
            { const: 'value2', title: 'Second Choice' },
            { const: 'value3', title: 'Third Choice' },
          ],
        },
      },
    },
    required: [],
  },
})
