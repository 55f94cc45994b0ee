import type Provider from 'oidc-provider'
import type { Client, Interaction as Kept } from 'oidc-provider'
import { z } from 'zod'
import { problem } from '../base/problem.ts'
import type { Consents } from './consents.ts'
import { clientNameOf, type Grants, type Request } from './grants.ts'
import type { Newcomers } from './newcomers.ts'
import { findClient } from './provider-clients.ts'
import { redirectHostOf, redirectKind } from './redirects.ts'
import { parseAccountId, toAccountId, type Account } from './visitor.ts'

/** A question to the user that an authorization waits for. What the client says of itself is its own word only. */
export interface Interaction {
  readonly uid: string
  readonly prompt: 'login' | 'consent'
  readonly clientId: string
  readonly clientName: string
  readonly redirectUri: string
  /** The host, or the scheme of a program's own. */
  readonly redirectHost: string
  /** Whether the answer goes to a program on the user's machine, which could be any. @see RFC 8252 §7 and §8.6 */
  readonly isLocalRedirect: boolean
  /** Whether the client is known by the address of its metadata document, whose host vouches for it. */
  readonly isMetadataClient: boolean
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  /** Who is asked, once it is known. */
  readonly account?: Account | undefined
  /** The name to sign in with, as the client supposes. */
  readonly loginHint?: string | undefined
  /** Only a sign-in since then will do, in milliseconds: the client asked that the user proves anew who they are. */
  readonly signInAfter?: number | undefined
}

/** Who answers: somebody signed in, since `createdAt`. */
export interface Answerer extends Account {
  readonly createdAt: number
}

export interface InteractionsNeeds {
  readonly provider: () => Promise<Provider>
  readonly consents: Consents
  readonly grants: Grants
  readonly newcomers: Pick<Newcomers, 'keep'>
}

/**
 * What an authorization asks its user, and where to send the browser once they have answered: a path of our own.
 * An answer is good in the browser that began, and only while whoever gave it is signed in there.
 */
export function createInteractions({ provider, consents, grants, newcomers }: InteractionsNeeds) {
  async function open(uid: string) {
    const kept = await (await provider()).Interaction.find(uid)
    if (kept === undefined) return undefined
    const params = Params.parse(kept.params)
    return { kept, params }
  }
  async function requireOpen(uid: string) {
    const found = await open(uid)
    if (found === undefined) throw problem('oauth.request', { reason: 'it has been answered already, or has expired' })
    return found
  }
  type Open = Awaited<ReturnType<typeof requireOpen>>

  async function answer({ kept }: Open, result: Open['kept']['result']): Promise<string> {
    kept.result = result
    await kept.persist()
    return `/authorize/${kept.uid}`
  }

  return {
    /** @throws nothing for one that is over or whose client is gone: those are `undefined` */
    async find(uid: string): Promise<Interaction | undefined> {
      const found = await open(uid)
      if (found === undefined) return undefined
      const client = await findClient(await provider(), found.params.client_id)
      return client && describe(uid, found, { client, isMetadataClient: grants.isMetadataClient(client.clientId) })
    },

    /**
     * The user has signed in.
     *
     * @throws {Problem} `oauth.request` where it is over; `login.required` where they had signed in before that was asked
     */
    async signedIn(uid: string, user: Answerer): Promise<string> {
      const found = await requireOpen(uid)
      const after = signInAfter(found.kept)
      if (after !== undefined && user.createdAt < after) throw problem('login.required')
      const login = { accountId: toAccountId(user), ts: Math.floor(user.createdAt / 1000), remember: true }
      return answer(found, { login })
    },

    /**
     * The user allows it, which is remembered. Where it was somebody else who was asked, it begins anew.
     *
     * @throws {Problem} `oauth.request` where it is over
     */
    async consent(uid: string, user: Account): Promise<string> {
      const found = await requireOpen(uid)
      const accountId = toAccountId(user)
      const { kept, params } = found
      const client = await findClient(await provider(), params.client_id)
      if (client === undefined) throw problem('oauth.request', { reason: 'the program that sent it is not known here' })
      if (kept.prompt.name !== 'consent' || kept.session?.accountId !== accountId) return beginAnew(kept.params)
      const { clientId } = client
      const asked = grants.describe(clientId, toRequest(params))
      await newcomers.keep(clientId)
      const grant = await grants.make(await provider(), { accountId, clientId }, asked)
      await consents.give(user, { ...asked, clientId, clientName: clientNameOf(client), grantId: grant.jti })
      return answer(found, { ...kept.lastSubmission, consent: { grantId: grant.jti } })
    },

    /**
     * Somebody else is signed in by now than was asked: they are asked anew.
     *
     * @throws {Problem} `oauth.request` where it is over
     */
    beginAnew: async (uid: string): Promise<string> => beginAnew((await requireOpen(uid)).kept.params),

    /**
     * The user does not allow it; the client is told so.
     *
     * @throws {Problem} `oauth.request` where it is over
     */
    async refuse(uid: string): Promise<string> {
      const found = await requireOpen(uid)
      return answer(found, { error: 'access_denied', error_description: 'the user refused' })
    },
  }
}
export type Interactions = ReturnType<typeof createInteractions>

const Texts = z.union([z.string(), z.array(z.string())])
const Params = z.object({
  client_id: z.string(),
  redirect_uri: z.string(),
  scope: z.string().default(''),
  resource: Texts.default([]),
  login_hint: z.string().optional(),
})
type Params = z.infer<typeof Params>

function toRequest({ scope, resource, redirect_uri: redirectUri }: Params): Request {
  return { scopes: scope.split(' ').filter((each) => each !== ''), resources: [resource].flat(), redirectUri }
}

function describe(
  uid: string,
  { kept, params }: { kept: Kept; params: Params },
  { client, isMetadataClient }: { client: Client; isMetadataClient: boolean },
): Interaction {
  const { scopes, resources, redirectUri } = toRequest(params)
  return {
    uid,
    prompt: kept.prompt.name === 'login' ? 'login' : 'consent',
    clientId: client.clientId,
    clientName: clientNameOf(client),
    redirectUri,
    redirectHost: redirectHostOf(redirectUri),
    isLocalRedirect: redirectKind(redirectUri) !== 'https',
    isMetadataClient,
    resources,
    scopes,
    account: kept.session && parseAccountId(kept.session.accountId),
    loginHint: params.login_hint,
    signInAfter: signInAfter(kept),
  }
}

const ANEW: readonly string[] = ['login_prompt', 'max_age', 'id_token_hint']

function signInAfter({ prompt, iat }: Kept): number | undefined {
  return prompt.reasons.some((reason) => ANEW.includes(reason)) ? iat * 1000 : undefined
}

function beginAnew(params: Kept['params']): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    for (const each of [value].flat()) query.append(name, String(each))
  return `/authorize?${query.toString()}`
}
