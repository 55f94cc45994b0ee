import type Provider from 'oidc-provider'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { problem } from '../base/problem.ts'
import type { Consents } from './consents.ts'
import { clientNameOf, type Grants } from './grants.ts'
import type { Answerer } from './interactions.ts'
import type { Newcomers } from './newcomers.ts'
import { findClient } from './provider-clients.ts'
import { toPayload, userCodeId, type Records } from './records.ts'
import { toAccountId } from './visitor.ts'

/** What a terminal asks that shows its user a code. What the client says of itself is its own word only. */
export interface DeviceRequest {
  /** As it is shown, whichever way it was entered. */
  readonly userCode: string
  readonly clientId: string
  readonly clientName: string
  /** Whether the client is known by the address of its metadata document, whose host vouches for it. */
  readonly isMetadataClient: boolean
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  /** Where the terminal asked from. */
  readonly address: string
}

export interface DevicesNeeds {
  readonly provider: () => Promise<Provider>
  readonly records: Pick<Records, 'findByUid' | 'replace'>
  readonly consents: Pick<Consents, 'give'>
  readonly grants: Grants
  readonly newcomers: Pick<Newcomers, 'keep'>
  readonly clock: Clock
}

const MODEL = 'DeviceCode'

/** What a consent says in place of the address its answers go to: there is none, the terminal asks for them. */
export const ANOTHER_DEVICE = 'another device'

/**
 * What terminals ask their users, by the code that the user reads there and enters here. Each is answered once, and
 * always asked: that a user allowed the client before says nothing of whoever holds this code.
 *
 * @see RFC 8628 §3.3 and §5.4
 */
export function createDevices({ provider, records, consents, grants, newcomers, clock }: DevicesNeeds) {
  async function open(entered: string) {
    const userCode = normaliseUserCode(entered)
    const row = userCode && (await records.findByUid(MODEL, userCodeId(userCode)))
    if (!userCode || !row || (row.expires_at ?? 0) <= clock.now()) return undefined
    const payload = Payload.parse(toPayload(row, ''))
    const client =
      (payload.accountId ?? payload.error) ? undefined : await findClient(await provider(), payload.clientId)
    return client && { userCode, row, payload, client }
  }
  async function requireOpen(entered: string) {
    const found = await open(entered)
    if (found === undefined) throw problem('device.unknown')
    return found
  }
  type Open = Awaited<ReturnType<typeof requireOpen>>

  /** Of two answers at once the first counts. */
  async function answer({ row }: Open, said: Readonly<Record<string, unknown>>): Promise<void> {
    if (!(await records.replace(row, { ...toPayload(row, ''), ...said }))) throw problem('device.unknown')
  }
  const describe = ({ userCode, payload, client }: Open): DeviceRequest => ({
    ...toAsked(payload),
    userCode,
    clientId: client.clientId,
    clientName: clientNameOf(client),
    isMetadataClient: grants.isMetadataClient(client.clientId),
    address: payload.deviceInfo.address,
  })

  return {
    /** What a code stands for; `undefined` for one unknown, expired or answered. */
    async find(entered: string): Promise<DeviceRequest | undefined> {
      const found = await open(entered)
      return found && describe(found)
    },

    /**
     * The user allows it, which is remembered as any other consent is.
     *
     * @throws {Problem} `device.unknown` where it is over
     */
    async allow(entered: string, user: Answerer): Promise<void> {
      const found = await requireOpen(entered)
      const { clientId } = found.client
      const asked = toAsked(found.payload)
      const accountId = toAccountId(user)
      await newcomers.keep(clientId)
      const given = { ...asked, redirectHost: ANOTHER_DEVICE, isAssured: false }
      const { jti: grantId } = await grants.make(await provider(), { accountId, clientId }, given)
      await consents.give(user, { ...given, clientId, clientName: clientNameOf(found.client), grantId })
      await answer(found, {
        accountId,
        grantId,
        authTime: Math.floor(user.createdAt / 1000),
        scope: asked.scopes.join(' '),
        resource: asked.resources[0],
        claims: {},
      })
    },

    /**
     * The user does not allow it; the terminal is told so when it asks next.
     *
     * @throws {Problem} `device.unknown` where it is over
     */
    async refuse(entered: string): Promise<void> {
      await answer(await requireOpen(entered), { error: 'access_denied', errorDescription: 'the user refused' })
    },
  }
}
export type Devices = ReturnType<typeof createDevices>

const Texts = z.union([z.string(), z.array(z.string())])
const Payload = z.object({
  clientId: z.string(),
  accountId: z.string().optional(),
  error: z.string().optional(),
  deviceInfo: z.object({ address: z.string() }),
  params: z.object({ scope: z.string().default(''), resource: Texts.default([]) }),
})

function toAsked({ params: { scope, resource } }: z.output<typeof Payload>) {
  return { scopes: scope.split(' ').filter((each) => each !== ''), resources: [resource].flat() }
}

/** Consonants only, so that no code is a word and none is misread. @see RFC 8628 §6.1 */
const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/

/** The code as it is shown, from however it was typed; `undefined` for what cannot be one. */
function normaliseUserCode(entered: string): string | undefined {
  const code = entered.replace(/[\s-]/g, '').toUpperCase()
  return USER_CODE.test(code) ? `${code.slice(0, 4)}-${code.slice(4)}` : undefined
}
