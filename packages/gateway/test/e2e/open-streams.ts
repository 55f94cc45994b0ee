import { envelopeOf, headersOf } from './eras.ts'
import { openSession, type Door } from './wire.ts'

/** A stream that a client keeps open, to be told of what happens. */
export interface OpenStream {
  /** All that came on it, once it has ended. */
  readonly ended: Promise<string>
  isOpen(): boolean
}

/** The stream of a session of its own, as a client of the older revisions opens it. */
export async function openOwnStream(door: Door): Promise<OpenStream> {
  const headers = { ...headersOf('legacy', '', {}), ...(await openSession({ ...door, era: 'legacy' })) }
  return openStream(door, { method: 'GET', headers })
}

/** The stream of `subscriptions/listen`, its acknowledgement already on its way. */
export function openListening(door: Door): Promise<OpenStream> {
  const method = 'subscriptions/listen'
  const params = envelopeOf('modern', { notifications: { toolsListChanged: true } })
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'listening', method, params })
  const headers = { ...headersOf('modern', method, {}), 'Content-Type': 'application/json' }
  return openStream(door, { method: 'POST', headers, body })
}

interface Asked {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

async function openStream({ url, key }: Door, asked: Asked): Promise<OpenStream> {
  const headers = { Authorization: `Bearer ${key}`, Accept: 'application/json, text/event-stream', ...asked.headers }
  const answer = await fetch(url, { ...asked, headers })
  if (answer.status !== 200) throw new Error(`no stream, but ${answer.status} ${await answer.text()}`)
  let open = true
  const ended = answer.text().finally(() => {
    open = false
  })
  return { ended, isOpen: () => open }
}
