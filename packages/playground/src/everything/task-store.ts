import { randomUUID } from 'node:crypto'
import { ProtocolError, type CallToolResult, type InputRequests } from '@modelcontextprotocol/server'

/** A task as `tasks/get` shows it: what is not known yet is left out. */
export interface TaskView {
  readonly taskId: string
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  readonly createdAt: string
  readonly lastUpdatedAt: string
  readonly ttlMs: number
  readonly pollIntervalMs: number
  readonly result?: CallToolResult
  readonly error?: { readonly code: number; readonly message: string }
  readonly inputRequests?: InputRequests
}

/** What a running task is given: a signal that fires when it is cancelled, and a way to ask its client. */
export interface TaskContext {
  readonly signal: AbortSignal
  /** Asks all the questions at once; settles when the last of them was answered, in however many updates. */
  ask(questions: InputRequests): Promise<Readonly<Record<string, unknown>>>
}

type Work = (task: TaskContext) => Promise<CallToolResult>

/**
 * Tasks of the extension `io.modelcontextprotocol/tasks`: begun by a call of a tool, looked at, answered and
 * cancelled by later requests of whoever knows the id. A task is kept for ten minutes.
 *
 * @see {@link https://modelcontextprotocol.io/seps/2663-tasks-extension SEP-2663}
 */
export function createTaskStore() {
  const tasks = new Map<string, Running>()

  return {
    start(work: Work): TaskView {
      const task: Running = {
        view: begun(),
        stop: new AbortController(),
        answers: {},
        answered: undefined,
      }
      tasks.set(task.view.taskId, task)
      setTimeout(() => tasks.delete(task.view.taskId), task.view.ttlMs).unref()
      const { view } = task
      void run(task, work)
      return view
    },
    find(taskId: string): TaskView | undefined {
      return tasks.get(taskId)?.view
    },
    /** Takes the answers that are waited for and leaves the others. */
    answer(taskId: string, responses: Readonly<Record<string, unknown>>): void {
      const task = tasks.get(taskId)
      if (task?.view.status !== 'input_required') return
      const open = Object.entries(task.view.inputRequests ?? {})
      for (const [key] of open) if (key in responses) task.answers[key] = responses[key]
      const left = open.filter(([key]) => !(key in task.answers))
      if (left.length > 0) change(task, { status: 'input_required', inputRequests: Object.fromEntries(left) })
      else task.answered?.()
    },
    /** A task that has ended stays as it ended. */
    cancel(taskId: string): void {
      const task = tasks.get(taskId)
      if (task === undefined || hasEnded(task)) return
      change(task, { status: 'cancelled' })
      task.stop.abort()
    },
  }
}

export type TaskStore = ReturnType<typeof createTaskStore>

interface Running {
  view: TaskView
  readonly stop: AbortController
  readonly answers: Record<string, unknown>
  answered: (() => void) | undefined
}

const TTL_MS = 600_000
const POLL_MS = 200

function begun(): TaskView {
  const now = new Date().toISOString()
  return {
    taskId: randomUUID(),
    status: 'working',
    createdAt: now,
    lastUpdatedAt: now,
    ttlMs: TTL_MS,
    pollIntervalMs: POLL_MS,
  }
}

/** A tool that fails has completed, with an error as its result; only a fault of the protocol is a failed task. */
async function run(task: Running, work: Work): Promise<void> {
  try {
    const result = await work({ signal: task.stop.signal, ask: (questions) => ask(task, questions) })
    if (!hasEnded(task)) change(task, { status: 'completed', result })
  } catch (error) {
    if (hasEnded(task)) return
    if (error instanceof ProtocolError) {
      change(task, { status: 'failed', error: { code: error.code, message: error.message } })
    } else {
      change(task, { status: 'completed', result: failed(error) })
    }
  }
}

function ask(task: Running, inputRequests: InputRequests): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    task.answered = () => {
      change(task, { status: 'working' })
      resolve(task.answers)
    }
    task.stop.signal.addEventListener('abort', () => reject(task.stop.signal.reason), { once: true })
    change(task, { status: 'input_required', inputRequests })
  })
}

/** A new view for each change: what was told of an earlier state goes, and a view handed out never changes. */
function change(task: Running, now: Pick<TaskView, 'status'> & Partial<TaskView>): void {
  const { taskId, createdAt, ttlMs, pollIntervalMs } = task.view
  task.view = { taskId, createdAt, ttlMs, pollIntervalMs, lastUpdatedAt: new Date().toISOString(), ...now }
}

function hasEnded({ view }: Running): boolean {
  return view.status !== 'working' && view.status !== 'input_required'
}

function failed(error: unknown): CallToolResult {
  return { content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }], isError: true }
}
