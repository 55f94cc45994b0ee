import { setTimeout as pause } from 'node:timers/promises'
import {
  acceptedContent,
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
  type McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { asTask, followsTasks, offerTasks } from './tasks.ts'
import { text } from './tools-content.ts'
import { form } from './tools-rounds.ts'
import type { World } from './world.ts'

/**
 * The conformance suite's tools of the tasks extension. Where a client cannot follow a task, it waits for the answer;
 * two of them cannot be waited for.
 */
export function registerTaskTools(mcp: McpServer, { tasks }: World): void {
  mcp.registerTool('greet', { description: 'Greets at once, never as a task.', inputSchema: greeted }, ({ name }) =>
    text(`Hello, ${name}!`),
  )

  mcp.registerTool(
    'slow_compute',
    { description: 'Computes for some seconds.', inputSchema: computed },
    async ({ seconds, label }, ctx) => {
      const compute = async (signal: AbortSignal) => {
        await pause(seconds * 1_000, undefined, { signal })
        return text(`Computed for ${seconds} s: ${label}`)
      }
      if (!followsTasks(ctx)) return compute(ctx.mcpReq.signal)
      return asTask(tasks.start(({ signal }) => compute(signal)))
    },
  )

  mcp.registerTool('failing_job', { description: 'A task that ends in an error of the tool.' }, () =>
    asTask(
      tasks.start(async ({ signal }) => {
        await pause(1_000, undefined, { signal })
        throw new Error('This job always fails')
      }),
    ),
  )
  mcp.registerTool('protocol_error_job', { description: 'A task that ends in an error of the protocol.' }, () =>
    asTask(
      tasks.start(async () => {
        throw new ProtocolError(ProtocolErrorCode.InternalError, 'This job breaks the server')
      }),
    ),
  )

  mcp.registerTool(
    'confirm_delete',
    { description: 'Asks for a confirmation before it deletes nothing.', inputSchema: deleted },
    ({ filename }, ctx) => {
      const confirm = form(`Delete ${filename}?`, 'confirm', { type: 'boolean' })
      const said = (answers: unknown) => text(`Asked about ${filename}: ${JSON.stringify(answers)}`)
      if (followsTasks(ctx)) return asTask(tasks.start(async (task) => said(await task.ask({ confirm }))))
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', z.object({ confirm: z.boolean() }))
      return answer ? said(answer) : inputRequired({ inputRequests: { confirm } })
    },
  )
  mcp.registerTool('multi_input', { description: 'A task that asks two questions at once.' }, () =>
    asTask(
      tasks.start(async (task) => {
        const answers = await task.ask({
          first: form('The first name?', 'name', { type: 'string' }),
          second: form('The second name?', 'name', { type: 'string' }),
        })
        return text(`Answered: ${JSON.stringify(answers)}`)
      }),
    ),
  )
  mcp.registerTool('test_tool_with_task', { description: 'Asks for a name, then greets as a task.' }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_name', greeted)
    if (answer) return asTask(tasks.start(async () => text(`Hello, ${answer.name}!`)))
    return inputRequired({ inputRequests: { user_name: form('What is your name?', 'name', { type: 'string' }) } })
  })

  offerTasks(mcp, tasks, new Set(['failing_job', 'protocol_error_job', 'multi_input', 'test_tool_with_task']))
}

const greeted = z.object({ name: z.string() })
const computed = z.object({ seconds: z.number().min(0).max(600), label: z.string().max(100).default('') })
const deleted = z.object({ filename: z.string() })
