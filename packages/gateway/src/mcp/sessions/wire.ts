import type { TenantId, UserId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Bus } from '../../storage/shared/bus.ts'
import type { Reply } from '../../upstreams/transport.ts'

/** What the processes of a gate tell each other of sessions, by the kind of it. */
export interface News {
  /** What is kept of a session is not what it was. */
  readonly changed: {
    readonly tenant: TenantId
    readonly userId: UserId
    readonly session: string
    readonly ended: boolean
  }
  /** A session's own stream is with the sender from now on. */
  readonly streaming: { readonly session: string }
  /** Somebody has come back for the rest of a call's stream. */
  readonly held: { readonly stream: string }
  /** The client of a request that is none of the sender's has cancelled it. */
  readonly cancelled: { readonly key: string }
  /** A question for a client whose stream may be anywhere. */
  readonly ask: { readonly session: string; readonly n: number; readonly message: string }
  /** That question is on its way. */
  readonly taken: { readonly n: number }
  /** What a client said, to the process that had it asked. */
  readonly reply: { readonly n: number; readonly session: string; readonly reply: Reply }
}
export type Kind = keyof News

type Take<K extends Kind> = (news: News[K], from: string) => void
type Takes = { [K in Kind]?: Take<K>[] }

export interface Wire {
  readonly instance: string
  /** Tells all other processes, or one. Never rejects: who cannot be reached finds out by itself, later. */
  tell<K extends Kind>(kind: K, news: News[K], to?: string): Promise<void>
  hear<K extends Kind>(kind: K, take: Take<K>): void
  close(): void
}

const TOPIC = 'mcp.sessions'

/** Begins to hear what the other processes tell of sessions. */
export async function openWire({ bus, log }: { readonly bus: Bus; readonly log: Log }): Promise<Wire> {
  const { instance } = bus
  const takes: Takes = {}

  function take(payload: Buffer): void {
    const { kind, from, news }: Envelope = JSON.parse(payload.toString())
    if (from !== instance) hand(takes, kind, news, from)
  }
  const ends = await Promise.all([TOPIC, `${TOPIC}.${instance}`].map((topic) => bus.subscribe(topic, take)))

  return {
    instance,
    async tell(kind, news, to) {
      const topic = to === undefined ? TOPIC : `${TOPIC}.${to}`
      try {
        await bus.publish(topic, Buffer.from(JSON.stringify({ kind, from: instance, news })))
      } catch (error) {
        log.warn({ kind, error }, 'session.not_told')
      }
    },
    hear(kind, take) {
      const listeners: Take<typeof kind>[] = (takes[kind] ??= [])
      listeners.push(take)
    },
    close() {
      for (const end of ends) end()
    },
  }
}

interface Envelope<K extends Kind = Kind> {
  readonly kind: K
  readonly from: string
  readonly news: News[K]
}

function hand<K extends Kind>(takes: Takes, kind: K, news: News[K], from: string): void {
  for (const take of takes[kind] ?? []) take(news, from)
}
