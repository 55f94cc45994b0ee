import {
  acceptedContent,
  completable,
  inputRequired,
  type GetPromptResult,
  type McpServer,
  type PromptMessage,
  type RegisteredPrompt,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { redPixelPng } from './media.ts'
import { form } from './tools-rounds.ts'
import type { World } from './world.ts'

/** The conformance suite's prompts. Returns the one that comes and goes, for a session to follow. */
export function registerPrompts(mcp: McpServer, world: World): RegisteredPrompt {
  mcp.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments.' }, () =>
    user({ type: 'text', text: 'This is a simple prompt for testing.' }),
  )
  mcp.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt with two arguments; the first one completes.', argsSchema: twoArguments },
    ({ arg1, arg2 }) => user({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  )
  mcp.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt that carries a resource.', argsSchema: resourceArgument },
    ({ resourceUri }) =>
      user(
        {
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        { type: 'text', text: 'Please process the embedded resource above.' },
      ),
  )
  mcp.registerPrompt('test_prompt_with_image', { description: 'A prompt that carries an image.' }, () =>
    user(
      { type: 'image', data: redPixelPng, mimeType: 'image/png' },
      { type: 'text', text: 'Please analyze the image above.' },
    ),
  )
  mcp.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks the user first.' },
    ({ mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'user_context', Contextual)
      if (answer) return user({ type: 'text', text: `Context: ${answer.context}` })
      return inputRequired({ inputRequests: { user_context: askContext } })
    },
  )

  const coming = mcp.registerPrompt('comes_and_goes', { description: 'Is not always there.' }, () =>
    user({ type: 'text', text: 'Here I am' }),
  )
  if (!world.shown.prompt) coming.disable()
  return coming
}

function user(...contents: PromptMessage['content'][]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) }
}

const suggestions = ['paris', 'park', 'party', 'test', 'testing']

const twoArguments = z.object({
  arg1: completable(z.string().describe('First test argument'), (typed) =>
    suggestions.filter((word) => word.startsWith(typed)),
  ),
  arg2: z.string().describe('Second test argument'),
})
const resourceArgument = z.object({ resourceUri: z.string().describe('URI of the resource to embed') })

const askContext = form('What context should the prompt use?', 'context', { type: 'string' })
const Contextual = z.object({ context: z.string() })
