import { setTimeout as pause } from 'node:timers/promises'
import type { McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './tools-content.ts'
import type { SlowCall, World } from './world.ts'

/**
 * Tools about how a call runs: what it reports, how long it takes, what it arrived with and what it changes. Returns
 * the tool that comes and goes, for a session to follow.
 */
export function registerRuntimeTools(mcp: McpServer, world: World): RegisteredTool {
  mcp.registerTool('test_tool_with_logging', { description: 'Logs three messages while it runs.' }, async (ctx) => {
    await log(ctx, ['Tool execution started', 'Tool processing data', 'Tool execution completed'])
    return text('Tool with logging executed')
  })
  mcp.registerTool('test_logging_tool', { description: 'Logs if, and only if, it was asked to.' }, async (ctx) => {
    await log(ctx, ['First message', 'Second message'])
    return text('Logged where logging was asked for')
  })
  mcp.registerTool('test_tool_with_progress', { description: 'Reports 0, 50 and 100 of 100.' }, async (ctx) => {
    const { progressToken } = ctx.mcpReq._meta ?? {}
    for (const progress of [0, 50, 100]) {
      if (progress > 0) await pause(50, undefined, { signal: ctx.mcpReq.signal })
      if (progressToken === undefined) continue
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
    }
    return text('Tool with progress executed')
  })
  mcp.registerTool('test_reconnection', { description: 'Drops its own stream, then answers.' }, async (ctx) => {
    // Only sessions can be resumed; where there is none, the tool is merely slow.
    ctx.http?.closeSSE?.()
    await pause(100, undefined, { signal: ctx.mcpReq.signal })
    return text('Answered after the stream was closed')
  })

  mcp.registerTool(
    'echo_headers',
    { description: 'Shows the HTTP headers this call arrived with, credentials included.' },
    (ctx) => text(JSON.stringify(Object.fromEntries(ctx.http?.req?.headers ?? []))),
  )
  mcp.registerTool(
    'slow',
    { description: 'Answers after some milliseconds; stops when the call is cancelled.', inputSchema: slowed },
    async ({ ms, label }, ctx) => {
      const call: SlowCall = { label, outcome: 'running' }
      world.slowCalls.push(call)
      if (world.slowCalls.length > 100) world.slowCalls.shift()
      try {
        await pause(ms, undefined, { signal: ctx.mcpReq.signal })
        call.outcome = 'finished'
      } catch (error) {
        call.outcome = 'stopped'
        throw error
      }
      return text(`Answered after ${ms} ms`)
    },
  )
  mcp.registerTool('slow_calls', { description: 'Lists how the latest calls of slow ended.' }, () =>
    text(JSON.stringify(world.slowCalls)),
  )

  mcp.registerTool('test_trigger_tool_change', { description: 'Adds a tool, or takes it away again.' }, () => {
    world.shown.tool = !world.shown.tool
    world.bus.publish({ kind: 'tools_list_changed' })
    return text(`The tool is ${world.shown.tool ? 'there' : 'gone'}`)
  })
  mcp.registerTool('test_trigger_prompt_change', { description: 'Adds a prompt, or takes it away again.' }, () => {
    world.shown.prompt = !world.shown.prompt
    world.bus.publish({ kind: 'prompts_list_changed' })
    return text(`The prompt is ${world.shown.prompt ? 'there' : 'gone'}`)
  })
  mcp.registerTool(
    'touch_resource',
    { description: 'Changes test://watched-resource and tells its subscribers.' },
    () => {
      const uri = 'test://watched-resource'
      world.touches.set(uri, (world.touches.get(uri) ?? 0) + 1)
      world.bus.publish({ kind: 'resource_updated', uri })
      return text(`Touched ${uri}`)
    },
  )

  const coming = mcp.registerTool('comes_and_goes', { description: 'Is not always there.' }, () => text('Here I am'))
  if (!world.shown.tool) coming.disable()
  return coming
}

async function log({ mcpReq }: ServerContext, lines: readonly string[]): Promise<void> {
  for (const [index, line] of lines.entries()) {
    if (index > 0) await pause(50, undefined, { signal: mcpReq.signal })
    await mcpReq.log('info', line)
  }
}

const slowed = z.object({
  ms: z.int().min(0).max(600_000).default(1_000),
  label: z.string().max(100).default(''),
})
