import {
  CLIENT_CAPABILITIES_META_KEY,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type McpServer,
  type ServerContext,
  type Transport,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { declaredWith } from './capabilities.ts'
import type { TaskStore, TaskView } from './task-store.ts'

const EXTENSION = 'io.modelcontextprotocol/tasks'

/**
 * Offers the tasks extension on a 2026-07-28 server; the SDK has nothing for the server's side of it. `needing` are
 * the tools that cannot work for a client which cannot follow a task.
 *
 * @see {@link https://modelcontextprotocol.io/seps/2663-tasks-extension SEP-2663}
 */
export function offerTasks(mcp: McpServer, tasks: TaskStore, needing: ReadonlySet<string>): void {
  const { server } = mcp
  server.registerCapabilities({ extensions: { [EXTENSION]: {} } })

  server.setRequestHandler('tasks/get', { params: OneTask }, ({ taskId }, ctx) => ({ ...requireTask(taskId, ctx) }))
  server.setRequestHandler('tasks/update', { params: OneTask }, ({ taskId }, ctx) => {
    requireTask(taskId, ctx)
    tasks.answer(taskId, ctx.mcpReq.inputResponses ?? {})
    return {}
  })
  server.setRequestHandler('tasks/cancel', { params: OneTask }, ({ taskId }, ctx) => {
    requireTask(taskId, ctx)
    tasks.cancel(taskId)
    return {}
  })

  const connect = mcp.connect.bind(mcp)
  mcp.connect = async (transport) => {
    sendTasksBare(transport)
    await connect(transport)
    refuseWithoutTasks(transport, needing)
  }

  function requireTask(taskId: string, ctx: ServerContext): TaskView {
    if (!followsTasks(ctx)) throw needsTasks()
    const task = tasks.find(taskId)
    if (task === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such task')
    return task
  }
}

/** Whether the client said with this very request that it can follow a task. */
export function followsTasks(ctx: ServerContext): boolean {
  return declaredWith(ctx)?.extensions?.[EXTENSION] !== undefined
}

/** The result of a call whose work goes on as a task. */
export function asTask(task: TaskView): CallToolResult {
  return { content: [], resultType: 'task', ...task }
}

const OneTask = z.object({ taskId: z.string() })

function needsTasks(): MissingRequiredClientCapabilityError {
  return new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [EXTENSION]: {} } } })
}

/** The SDK lets no tool answer without `content`, which a task has not got. */
function sendTasksBare(transport: Transport): void {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => send(bare(message), options)
}

function bare(message: JSONRPCMessage): JSONRPCMessage {
  if (!isJSONRPCResultResponse(message) || message.result['resultType'] !== 'task') return message
  const { content: _, ...result } = message.result
  return { ...message, result }
}

/** What a tool throws becomes the result of the call, so this error is given before the tool is reached. */
function refuseWithoutTasks(transport: Transport, needing: ReadonlySet<string>): void {
  const receive = transport.onmessage
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- no event target
  transport.onmessage = (message, extra) => {
    if (!isJSONRPCRequest(message) || !callsOneOf(needing, message) || declaresTasks(message)) {
      receive?.(message, extra)
      return
    }
    const { code, message: says, data } = needsTasks()
    void transport.send({ jsonrpc: '2.0', id: message.id, error: { code, message: says, data } })
  }
}

function callsOneOf(tools: ReadonlySet<string>, { method, params }: JSONRPCRequest): boolean {
  return method === 'tools/call' && tools.has(String(params?.['name']))
}

function declaresTasks({ params }: JSONRPCRequest): boolean {
  return Declaring.safeParse(params?.['_meta']).success
}

const Declaring = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({ extensions: z.object({ [EXTENSION]: z.object({}) }) }),
})
