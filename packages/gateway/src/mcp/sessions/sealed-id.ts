import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { isRecord } from '../../base/json-rpc.ts'
import type { Who } from '../../upstreams/transport.ts'
import { createSealedText } from '../bridge/sealed-text.ts'
import { canonical, carried } from './carried.ts'

/** What a session's id says, to the gate alone. */
export interface SealedId {
  /** Names the session in logs, topics and tables. */
  readonly id: string
  readonly version: string
  /** As {@link carried} has them. */
  readonly capabilities: string
  /** What the client calls itself, shortened. */
  readonly clientName: string
  /** When it was opened, to within a day. */
  readonly openedAt: number
}

export interface SealedIdNeeds {
  /** 32 bytes that all processes of the gate know. */
  readonly key: Uint8Array
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** How long an id may be, as a header: well below what proxies let through. */
const CHARACTERS_MOST = 1_024
const ID_BYTES = 16
const DAY_MS = 24 * 3_600_000

/**
 * The ids of sessions, as clients have them in `Mcp-Session-Id`. All that was agreed on when the session was opened is
 * sealed in the id itself, so that any process serves the next request, and nothing has to be kept of a session that
 * keeps nothing. Nobody but the user it was made for can use one: opening it takes the user's own name.
 *
 * @see MCP 2025-11-25, basic/transports#session-management: visible ASCII only
 */
export function createSealedIds({ key, clock, random, log }: SealedIdNeeds) {
  const { seal, open } = createSealedText({ key, prefix: 's1.' })

  function sealFor(who: Who, sealed: SealedId): string {
    const { id, version, capabilities, clientName, openedAt } = sealed
    const facts = { id, version, clientName, day: openedAt / DAY_MS }
    const text = `${JSON.stringify(facts).slice(0, -1)},"capabilities":${capabilities}}`
    return seal(Buffer.from(text), aboutOf(who))
  }

  return {
    /** Makes an id of what a client says in `initialize`. */
    make(who: Who, params: Readonly<Record<string, unknown>>, version: string) {
      const id = Buffer.from(random(ID_BYTES)).toString('base64url')
      const openedAt = Math.floor(clock.now() / DAY_MS) * DAY_MS
      const sealed = { id, version, clientName: nameOf(params['clientInfo']), openedAt }
      for (const capabilities of lessAndLess(params['capabilities'])) {
        const facts: SealedId = { ...sealed, capabilities }
        const headerValue = sealFor(who, facts)
        if (headerValue.length <= CHARACTERS_MOST) return { headerValue, facts }
        log.warn({ session: id, client: sealed.clientName }, 'session.capabilities_dropped')
      }
      throw new TypeError('the id of a session that can do nothing is too long')
    },
    /** What an id says; `undefined` where it is none of this user's. */
    open(who: Who, headerValue: string): SealedId | undefined {
      if (headerValue.length > CHARACTERS_MOST) return undefined
      const opened = open(headerValue, aboutOf(who))
      return opened && read(opened)
    },
  }
}

/** All that the gate can carry, then what cannot become too long, then nothing. */
function lessAndLess(capabilities: unknown): readonly string[] {
  const { extensions: _, ...bounded } = isRecord(capabilities) ? capabilities : {}
  return [carried(capabilities), carried(bounded), '{}']
}

function nameOf(clientInfo: unknown): string {
  if (!isRecord(clientInfo)) return ''
  const words = [clientInfo['name'], clientInfo['version']].filter((word) => typeof word === 'string')
  return words.map((word) => word.slice(0, NAME_MOST)).join(' ')
}

const NAME_MOST = 40

function aboutOf({ tenant, userId }: Who): readonly string[] {
  return [tenant, userId]
}

/** Nobody else can have written it. */
function read(opened: Buffer): SealedId {
  const { day, capabilities, ...facts }: Written = JSON.parse(opened.toString())
  return { ...facts, capabilities: canonical(capabilities), openedAt: day * DAY_MS }
}

interface Written {
  readonly id: string
  readonly version: string
  readonly clientName: string
  readonly day: number
  readonly capabilities: unknown
}
