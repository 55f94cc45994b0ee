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

/** A link as it is followed. */
export interface FollowedLink {
  readonly ticket: string
  readonly holder: Holder
  readonly server: string
  readonly scopes: readonly string[]
}

/**
 * Links to the page where a user connects an account for a server. A link says for whom it was made without holding
 * it, opens nothing by itself, and is good for a day: who follows it has to be signed in as that user. Where a server
 * wants more access than it has, the link says which, and nobody but the gate can have it say another.
 *
 * @see the MCP specification 2026-07-28, client/elicitation, "URL mode": the URL holds neither personal data nor access
 */
export function createConnectLinks({ key, publicUrl, clock }: ConnectLinksNeeds) {
  const sign = ({ holder: { tenant, userId }, server, scopes }: Omit<FollowedLink, 'ticket'>, expiry: number) =>
    createHmac('sha256', key)
      .update(JSON.stringify([tenant, userId, server, expiry, ...scopes]))
      .digest()

  return {
    linkFor(holder: Holder, server: string, scopes: readonly string[] = []): string {
      const expiry = clock.now() + LINK_MS
      const ticket = `${expiry}.${sign({ holder, server, scopes }, expiry).toString('base64url')}`
      const more = scopes.length === 0 ? '' : `&scope=${encodeURIComponent(scopes.join(' '))}`
      return `${publicUrl}/connect/${encodeURIComponent(server)}?t=${ticket}${more}`
    },

    /** Checks the ticket of a link against who follows it, and what it asks for. */
    checkLink(link: FollowedLink): LinkCheck {
      const [, expiry = '', signature = ''] = TICKET.exec(link.ticket) ?? []
      const given = Buffer.from(signature, 'base64url')
      const expected = sign(link, Number(expiry))
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'other'
      return clock.now() < Number(expiry) ? 'ok' : 'expired'
    },
  }
}
