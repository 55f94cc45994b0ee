import {
  acceptedContent,
  inputRequired,
  inputResponse,
  type InputRequest,
  type InputRequests,
  type InputRequiredResult,
  type McpServer,
  type PrimitiveSchemaDefinition,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { declaredWith } from './capabilities.ts'
import { text } from './tools-content.ts'
import { question, spoken } from './tools-input.ts'
import type { RoundState, World } from './world.ts'

/**
 * The conformance suite's multi-round-trip tools. A missing or malformed answer is asked for again, never an error;
 * a state that was changed on the way never reaches a tool, the server refuses it first.
 */
export function registerRoundTools(mcp: McpServer, world: World): void {
  mcp.registerTool(`${prefix}elicitation`, { description: 'Asks for a name and greets.' }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_name', Named)
    return answer ? text(`Hello, ${answer.name}!`) : inputRequired({ inputRequests: { user_name: askName } })
  })

  mcp.registerTool(`${prefix}sampling`, { description: 'Asks the model for a capital.' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'capital_question')
    if (answer.kind === 'sampling') return text(spoken(answer.result.content))
    return inputRequired({ inputRequests: { capital_question: question('What is the capital of France?', 100) } })
  })

  mcp.registerTool(`${prefix}list_roots`, { description: "Asks for the client's roots." }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots')
    if (answer.kind === 'roots') return text(`Roots: ${answer.roots.map((root) => root.uri).join(', ')}`)
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })

  for (const name of [`${prefix}request_state`, `${prefix}tampered_state`]) {
    mcp.registerTool(name, { description: 'Asks for a confirmation and wants its state back.' }, async (ctx) => {
      const state = ctx.mcpReq.requestState<RoundState>()
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', Confirmed)
      if (answer && state?.step === 'confirm') return text(`state-ok, confirmed: ${answer.ok}`)
      return withState({ confirm: askConfirmation }, await world.states.mint({ step: 'confirm' }, ctx))
    })
  }

  mcp.registerTool(`${prefix}multiple_inputs`, { description: 'Asks three questions at once.' }, async (ctx) => {
    const responses = ctx.mcpReq.inputResponses
    const name = acceptedContent(responses, 'user_name', Named)
    const greeting = inputResponse(responses, 'greeting')
    const roots = inputResponse(responses, 'client_roots')
    if (name && greeting.kind === 'sampling' && roots.kind === 'roots') {
      return text(`${spoken(greeting.result.content)} ${name.name} has ${roots.roots.length} roots.`)
    }
    return withState(
      {
        user_name: askName,
        greeting: question('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      await world.states.mint({ step: 'several' }, ctx),
    )
  })

  mcp.registerTool(`${prefix}multi_round`, { description: 'Asks two questions, one after the other.' }, async (ctx) => {
    const state = ctx.mcpReq.requestState<RoundState>()
    const responses = ctx.mcpReq.inputResponses

    const colour = acceptedContent(responses, 'step2', Coloured)
    if (state?.step === 'colour' && colour) return text(`${state.name} likes ${colour.color}.`)

    const name = state?.step === 'colour' ? state : acceptedContent(responses, 'step1', Named)
    if (state && name) {
      return withState({ step2: askColour }, await world.states.mint({ step: 'colour', name: name.name }, ctx))
    }
    return withState({ step1: askStepOne }, await world.states.mint({ step: 'name' }, ctx))
  })

  mcp.registerTool(`${prefix}capabilities`, { description: 'Asks only for what the client can do.' }, (ctx) => {
    const can = declaredWith(ctx) ?? mcp.server.getClientCapabilities() ?? {}
    const inputRequests = {
      ...(can.elicitation && { user_name: askName }),
      ...(can.sampling && { capital_question: question('What is the capital of France?', 100) }),
      ...(can.roots && { client_roots: inputRequired.listRoots() }),
    }
    const open = Object.keys(inputRequests).filter(
      (key) => inputResponse(ctx.mcpReq.inputResponses, key).kind === 'missing',
    )
    if (open.length > 0) return inputRequired({ inputRequests })
    return text(`Answered: ${Object.keys(inputRequests).join(', ') || 'nothing to ask'}`)
  })
}

const prefix = 'test_input_required_result_'

function withState(inputRequests: InputRequests, requestState: string): InputRequiredResult {
  return inputRequired({ inputRequests, requestState })
}

/** A form of one required field. */
export function form(message: string, field: string, schema: PrimitiveSchemaDefinition): InputRequest {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: schema }, required: [field] },
  })
}

const askName = form('What is your name?', 'name', { type: 'string' })
const askConfirmation = form('Please confirm', 'ok', { type: 'boolean' })
const askStepOne = form('Step 1: What is your name?', 'name', { type: 'string' })
const askColour = form('Step 2: What is your favorite color?', 'color', { type: 'string' })

const Named = z.object({ name: z.string() })
const Confirmed = z.object({ ok: z.boolean() })
const Coloured = z.object({ color: z.string() })
