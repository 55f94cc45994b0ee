import { describe, expect, test, vi } from 'vitest'
import { startEverything } from '../src/everything/http.ts'
import { createCaller, type Json } from './modern-calls.ts'

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } }

describe('a call that goes on as a task', () => {
  test('is answered with the task alone, and the task with its result in the end', async () => {
    await using everything = await startEverything({ port: 0 })
    const call = createCaller(everything.url, TASKS)

    const task = await call.result('tools/call', { name: 'slow_compute', arguments: { seconds: 0.2, label: 'a' } })
    expect(task).toMatchObject({ resultType: 'task', status: 'working', ttlMs: 600_000 })
    expect(task).not.toHaveProperty('content')

    const ended = await whenEnded(call, task['taskId'])
    expect(ended).toMatchObject({ status: 'completed', result: { content: [{ text: 'Computed for 0.2 s: a' }] } })
  })

  test('completes where its tool fails, and fails where the protocol was broken', async () => {
    await using everything = await startEverything({ port: 0 })
    const call = createCaller(everything.url, TASKS)
    const failing = await call.result('tools/call', { name: 'failing_job', arguments: {} })
    const broken = await call.result('tools/call', { name: 'protocol_error_job', arguments: {} })

    expect(await whenEnded(call, failing['taskId'])).toMatchObject({ status: 'completed', result: { isError: true } })
    const ended = await whenEnded(call, broken['taskId'])
    expect(ended).toMatchObject({ status: 'failed', error: { code: -32603 } })
    expect(ended).not.toHaveProperty('result')
  })

  test('asks until every question is answered', async () => {
    await using everything = await startEverything({ port: 0 })
    const call = createCaller(everything.url, TASKS)
    const { taskId } = await call.result('tools/call', { name: 'multi_input', arguments: {} })
    const accepted = (name: string) => ({ action: 'accept', content: { name } })

    expect(await call.result('tasks/get', { taskId })).toMatchObject({
      status: 'input_required',
      inputRequests: { first: { method: 'elicitation/create' }, second: { method: 'elicitation/create' } },
    })
    await call.result('tasks/update', { taskId, inputResponses: { first: accepted('Ada') } })
    const { inputRequests } = await call.result('tasks/get', { taskId })
    expect(Object.keys(inputRequests as object)).toEqual(['second'])

    await call.result('tasks/update', { taskId, inputResponses: { second: accepted('Grace') } })
    const { result } = await whenEnded(call, taskId)
    expect(JSON.stringify(result)).toMatch(/Ada.*Grace/)
  })

  test('stays cancelled', async () => {
    await using everything = await startEverything({ port: 0 })
    const call = createCaller(everything.url, TASKS)
    const { taskId } = await call.result('tools/call', { name: 'confirm_delete', arguments: { filename: 'a' } })

    await call.result('tasks/cancel', { taskId })
    await call.result('tasks/update', { taskId, inputResponses: { confirm: { action: 'cancel' } } })
    expect(await call.result('tasks/get', { taskId })).toMatchObject({ status: 'cancelled' })
  })
})

describe('a client that cannot follow a task', () => {
  test('waits for the answer, or is told what it lacks', async () => {
    await using everything = await startEverything({ port: 0 })
    const call = createCaller(everything.url, {})

    const waited = await call.result('tools/call', { name: 'slow_compute', arguments: { seconds: 0 } })
    expect(waited).toMatchObject({ resultType: 'complete', content: [{ type: 'text' }] })
    const lacking = { code: -32021, data: { requiredCapabilities: TASKS } }
    expect(await call.error('tools/call', { name: 'failing_job', arguments: {} })).toMatchObject(lacking)
    expect(await call.error('tasks/get', { taskId: 'any' })).toMatchObject(lacking)
  })
})

test('a task nobody began is an error of whoever asks', async () => {
  await using everything = await startEverything({ port: 0 })
  const call = createCaller(everything.url, TASKS)
  expect(await call.error('tasks/get', { taskId: 'any' })).toMatchObject({ code: -32602 })
})

function whenEnded(call: ReturnType<typeof createCaller>, taskId: unknown): Promise<Json> {
  return vi.waitFor(
    async () => {
      const task = await call.result('tasks/get', { taskId })
      expect(['working', 'input_required']).not.toContain(task['status'])
      return task
    },
    { timeout: 10_000 },
  )
}
