import type { Selectable } from 'kysely'
import type { AdapterPayload } from 'oidc-provider'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import { systemRandom, type NewId, type Random, type TenantId, type UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { User, Users } from '../identity/users.ts'
import type { Storage } from '../storage/database.ts'
import type { AgentClientsTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { Account } from './visitor.ts'

/** A user who is no person: a program that comes in its own name, with a client of its own. */
export interface Agent {
  readonly userId: UserId
  readonly name: string
  readonly clientId: string
  readonly method: 'client_secret_basic' | 'private_key_jwt'
  readonly createdAt: number
  /** When what it proves itself by was last replaced. */
  readonly changedAt: number
}

/** A secret is in this answer and nowhere else, ever. */
export interface MadeAgent {
  readonly agent: Agent
  /** Absent where the agent signs with keys of its own. */
  readonly clientSecret?: Secret | undefined
}

export interface AgentsNeeds {
  readonly storage: Storage
  readonly users: Pick<Users, 'addAgent' | 'list' | 'require'>
  readonly clock: Clock
  readonly newId: NewId
  readonly random?: Random
  /** Told before an agent's new proof is answered: what it was given by the one before ends. */
  readonly onReplaced: (account: Account, clientId: string) => Promise<void>
}

/** The public keys an agent signs with. @see RFC 7517 §5 */
export type PublicKeys = z.output<typeof PublicKeys>

const SECRET_BYTES = 32
const MOST_KEYS = 8
/** Of a private or a shared key. @see RFC 7518 §6.2.2, §6.3.2, §6.4.1 */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What an administrator may hand in of an agent's keys: public ones only. */
export const PublicKeys = z.object({
  keys: z
    .array(
      z
        .record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())]))
        .refine(({ kty }) => kty === 'RSA' || kty === 'EC', 'is no RSA or EC key')
        .refine((key) => PRIVATE_MEMBERS.every((member) => !(member in key)), 'is not a public key'),
    )
    .min(1)
    .max(MOST_KEYS),
})

/**
 * The agents of a tenant. Each is a user without a password and the one confidential client that stands for it; with
 * the user goes the client, and with the client its tokens.
 *
 * @see RFC 6749 §4.4, RFC 7523 §2.2
 */
export function createAgents({ storage, users, clock, newId, random = systemRandom, onReplaced }: AgentsNeeds) {
  function makeProof(jwks: PublicKeys | undefined) {
    const clientSecret = jwks === undefined ? makeSecret(random) : undefined
    return {
      clientSecret,
      kept: {
        secret_hash: clientSecret === undefined ? null : digest(clientSecret.reveal()),
        jwks: jwks === undefined ? null : JSON.stringify(jwks),
        changed_at: clock.now(),
      },
    }
  }

  return {
    /** @throws {Problem} `user.exists`, `request.params` for a name that is not one */
    async add(tenant: TenantId, { name, jwks }: { name: string; jwks?: PublicKeys | undefined }): Promise<MadeAgent> {
      const { clientSecret, kept } = makeProof(jwks)
      const agent = await users.addAgent(tenant, name, async (db, user) => {
        const row = { user_id: user.id, client_id: newId('agt'), ...kept }
        await db.insertInto('agent_clients', row).execute()
        return toAgent(user, row)
      })
      return { agent, clientSecret }
    },

    /** The agents of a tenant, by name. */
    async list(tenant: TenantId): Promise<Agent[]> {
      const rows = await storage.for(tenant).selectFrom('agent_clients').selectAll().execute()
      const clients = new Map(rows.map((row) => [row.user_id, row]))
      return (await users.list(tenant)).flatMap((user) => {
        const row = clients.get(user.id)
        return row === undefined ? [] : [toAgent(user, row)]
      })
    },

    /** @throws {Problem} `agent.unknown` */
    async require(tenant: TenantId, nameOrId: string): Promise<Agent> {
      const user = await users.require(tenant, nameOrId)
      return toAgent(user, await requireRow(storage.for(tenant), user))
    },

    /**
     * Gives an agent something new to prove itself by. What it had before opens nothing from then on, and neither do
     * the tokens it was given for it.
     *
     * @throws {Problem} `agent.unknown`
     */
    async renew(tenant: TenantId, nameOrId: string, jwks?: PublicKeys): Promise<MadeAgent> {
      const user = await users.require(tenant, nameOrId)
      const db = storage.for(tenant)
      const row = await requireRow(db, user)
      const { clientSecret, kept } = makeProof(jwks)
      await db.updateTable('agent_clients').set(kept).where('user_id', '=', user.id).execute()
      await onReplaced({ tenant, userId: user.id }, row.client_id)
      return { agent: toAgent(user, { ...row, ...kept }), clientSecret }
    },
  }
}
export type Agents = ReturnType<typeof createAgents>

/** Finds an agent's client by its id, for whichever tenant: whose it is, and what the library has to know of it. */
export async function findAgentClient(storage: Storage, clientId: string): Promise<AgentClient | undefined> {
  if (!isAgentClient(clientId)) return undefined
  const row = await storage.system
    .selectFrom('agent_clients')
    .selectAll()
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  return row && { account: { tenant: row.tenant_id, userId: row.user_id }, metadata: toMetadata(row) }
}

interface AgentClient {
  readonly account: Account
  readonly metadata: AdapterPayload
}

/** Its secret is kept by its hash, so the hash of what is presented has to be compared. */
export function isAgentClient(clientId: string): boolean {
  return clientId.startsWith('agt_')
}

function toMetadata({ client_id, secret_hash, jwks, changed_at }: Selectable<AgentClientsTable>): AdapterPayload {
  return {
    client_id,
    client_id_issued_at: Math.floor(changed_at / 1000),
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: jwks === null ? 'client_secret_basic' : 'private_key_jwt',
    ...(secret_hash === null ? {} : { client_secret: secret_hash }),
    ...(jwks === null ? {} : { jwks: PublicKeys.parse(JSON.parse(jwks)) }),
  }
}

async function requireRow(db: TenantDb, { id, name }: User) {
  const row = await db.selectFrom('agent_clients').selectAll().where('user_id', '=', id).executeTakeFirst()
  if (row === undefined) throw problem('agent.unknown', { agent: name })
  return row
}

type ClientRow = Omit<Selectable<AgentClientsTable>, 'tenant_id'>

function toAgent({ id, name, createdAt }: User, { client_id, jwks, changed_at }: ClientRow): Agent {
  const method = jwks === null ? 'client_secret_basic' : 'private_key_jwt'
  return { userId: id, name, clientId: client_id, method, createdAt, changedAt: changed_at }
}

/** 256 bits of chance, which nobody guesses. */
function makeSecret(random: Random): Secret {
  return secret(Buffer.from(random(SECRET_BYTES)).toString('base64url'))
}
