import { setTimeout as pause } from 'node:timers/promises'
import type { Response } from 'undici'
import { createEventReader } from '../upstreams/transports/event-stream.ts'

export interface Carried {
  /** Hands a message on. Answers whether it was what the stream is for: then it is not asked for again. */
  hear(text: string): boolean
  /** Goes on with a stream that was lost. */
  resume(lastId: string): Promise<Response>
  readonly ended: AbortSignal
}

const EVENT_BYTES = 67_108_864
const RETRY_MS = 1_000
const TRIES = 5

/**
 * Hands on what a stream of events holds, and goes on with it where it was lost before what it is for has come.
 *
 * @see MCP, basic/transports: Resumability and Redelivery
 */
export async function carryStream(first: Response, { hear, resume, ended }: Carried): Promise<void> {
  let answer: Response | undefined = first
  let isDone = false
  let lastId: string | undefined
  let tries = 0
  while (answer !== undefined && !ended.aborted) {
    const reader = createEventReader((data) => {
      isDone = hear(data.toString()) || isDone
      tries = 0
    }, EVENT_BYTES)
    const isWhole = await readAll(answer, (chunk) => reader.push(chunk))
    lastId = reader.lastId ?? lastId
    if (isDone || lastId === undefined) {
      if (!isWhole && !isDone && !ended.aborted) throw new Error('the connection was lost')
      return
    }
    answer = undefined
    while (answer === undefined && !ended.aborted) {
      if (++tries > TRIES) throw new Error('the connection was lost')
      await pause(reader.retryMs ?? RETRY_MS, undefined, { signal: ended }).catch(() => undefined)
      answer = await takeUp(resume, lastId)
    }
  }
}

/** Whether it ended in good order. */
async function readAll({ body }: Response, take: (chunk: Buffer) => void): Promise<boolean> {
  try {
    for await (const chunk of body ?? []) take(Buffer.from(chunk))
    return true
  } catch {
    return false
  }
}

/** A gate that is not there yet is asked again; one that has nothing more to say ends the stream. */
async function takeUp(resume: Carried['resume'], lastId: string): Promise<Response | undefined> {
  const answer = await resume(lastId).catch(() => undefined)
  if (answer?.ok === true) return answer
  await answer?.body?.cancel()
  return undefined
}
