import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Holder } from './credential.ts'

export interface ConnectLinksNeeds {
  /** 32 bytes that every process of the gate has. */
  readonly key: Buffer
  readonly publicUrl: string
  readonly clock: Clock
}

export type LinkCheck = 'ok' | 'expired' | 'other'

const LINK_MS = 86_400_000
const TICKET = /^(\d{1,15})\.([A-Za-z0-9_-]{43})$/

/**
 * Links to the page where a user connects an account for a server. A link says for whom it was made without holding
 * it, opens nothing by itself, and is good for a day: who follows it has to be signed in as that user.
 *
 * @see the MCP specification 2026-07-28, client/elicitation, "URL mode": the URL holds neither personal data nor access
 */
export function createConnectLinks({ key, publicUrl, clock }: ConnectLinksNeeds) {
  const sign = ({ tenant, userId }: Holder, server: string, expiry: number) =>
    createHmac('sha256', key)
      .update(JSON.stringify([tenant, userId, server, expiry]))
      .digest()

  return {
    linkFor(holder: Holder, server: string): string {
      const expiry = clock.now() + LINK_MS
      const ticket = `${expiry}.${sign(holder, server, expiry).toString('base64url')}`
      return `${publicUrl}/connect/${encodeURIComponent(server)}?t=${ticket}`
    },

    /** Checks the ticket of a link against who follows it. */
    checkLink(ticket: string, holder: Holder, server: string): LinkCheck {
      const [, expiry = '', signature = ''] = TICKET.exec(ticket) ?? []
      const given = Buffer.from(signature, 'base64url')
      const expected = sign(holder, server, Number(expiry))
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'other'
      return clock.now() < Number(expiry) ? 'ok' : 'expired'
    },
  }
}
