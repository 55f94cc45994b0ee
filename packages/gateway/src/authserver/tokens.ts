import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import { createBelieved, type Live } from '../identity/believed.ts'
import { parseReadOnly, type Principal } from '../identity/principal.ts'
import type { Storage } from '../storage/database.ts'
import type { Resources } from './resources.ts'

export interface TokensNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly resources: Resources
  /** How long a token is believed without asking the database. */
  readonly cacheMs: number
  /** Told now and then that a client used what it was allowed. */
  readonly onUsed: (used: Client) => void
}

type Client = Principal & { readonly clientId: string }

/** What an access token of ours looks like; anything else is not looked up. */
const TOKEN = /^[\w-]+$/
const TOKEN_LENGTH = 43

/** Tells whom an access token stands for. What was verified is kept by the token's hash, never by the token. */
export function createTokens(needs: TokensNeeds) {
  const { clock, cacheMs, onUsed } = needs
  const believed = createBelieved<Client>({
    clock,
    cacheMs,
    async find(hash) {
      const live = await findLive(needs, hash)
      if (live !== undefined) onUsed(live.principal)
      return live
    },
  })
  return {
    /** Answers at once where the token was seen lately; `undefined` for one unknown, expired or revoked. */
    verify(token: string): Principal | undefined | Promise<Principal | undefined> {
      if (token.length !== TOKEN_LENGTH) return undefined
      const hash = digest(token)
      return believed.known(hash) ?? (TOKEN.test(token) ? believed.ask(hash) : undefined)
    },
    drop: believed.drop,
    dropHash: believed.dropHash,
  }
}
export type Tokens = ReturnType<typeof createTokens>

const Payload = z.object({ aud: z.string(), scope: z.string().default('') })

/**
 * The grant is asked for too: a token that was being made while its grant was revoked opens nothing. What an agent is
 * given in its own name hangs on its client instead.
 */
async function findLive({ storage, clock, resources }: TokensNeeds, hash: string): Promise<Live<Client> | undefined> {
  const row = await storage.system
    .selectFrom('oauth_records as token')
    .leftJoin('oauth_records as grant', (join) =>
      join.onRef('grant.grant_id', '=', 'token.grant_id').on('grant.model', '=', 'Grant'),
    )
    .leftJoin('agent_clients as agent', 'agent.client_id', 'token.client_id')
    .innerJoin('users as user', (join) =>
      join.onRef('user.tenant_id', '=', 'token.tenant_id').onRef('user.id', '=', 'token.user_id'),
    )
    .select(['token.client_id', 'token.payload', 'token.expires_at', 'grant.grant_id', 'agent.client_id as agent_id'])
    .select(['user.tenant_id', 'user.id as user_id', 'user.name', 'user.role', 'user.read_only'])
    .where('token.model', 'in', ['AccessToken', 'ClientCredentials'])
    .where('token.id', '=', hash)
    .executeTakeFirst()
  const keyId = row?.grant_id ?? row?.agent_id
  if (!row || !keyId || row.client_id === null) return undefined
  const expiresAt = row.expires_at ?? 0
  if (expiresAt <= clock.now()) return undefined
  const { aud, scope } = Payload.parse(JSON.parse(row.payload))
  const { tenant_id: tenant, user_id: userId, name: userName, role, client_id: clientId } = row
  const scopes = scope.split(' ').includes('mcp') ? resources.scopesOf(aud) : []
  if (scopes.length === 0) return undefined
  const readOnly = parseReadOnly(row.read_only)
  return { principal: { tenant, userId, userName, role, keyId, clientId, scopes, readOnly }, expiresAt }
}

export function belongsTo(tenant: TenantId, userId: UserId): (principal: Principal) => boolean {
  return (principal) => principal.userId === userId && principal.tenant === tenant
}
