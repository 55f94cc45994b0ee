import { z } from 'zod'

/**
 * What the command line reads of the answers of the admin API. It takes no more than it shows, so that a
 * gate of a newer version can say more.
 */
export const User = z.object({ id: z.string(), name: z.string(), role: z.string(), createdAt: z.string() })
export type User = z.output<typeof User>
export const UserList = z.object({ users: z.array(User) })

const Agent = z.object({
  id: z.string(),
  name: z.string(),
  clientId: z.string(),
  method: z.string(),
  createdAt: z.string(),
  changedAt: z.string(),
})
export const AgentList = z.object({ agents: z.array(Agent) })
export const MadeAgent = z.object({ agent: Agent, clientSecret: z.string().optional(), tokenUrl: z.string() })
export type MadeAgent = z.output<typeof MadeAgent>

export const Invitation = z.object({ url: z.string(), expiresAt: z.string() })

export const Key = z.object({
  id: z.string(),
  user: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
export type Key = z.output<typeof Key>
export const KeyList = z.object({ keys: z.array(Key) })
export const NewKey = z.object({ key: z.string(), record: Key })

const Token = z.object({
  server: z.string(),
  user: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  lastUsedAt: z.string().nullable(),
})
export const TokenList = z.object({ tokens: z.array(Token) })

const Connection = z.object({
  provider: z.string(),
  name: z.string(),
  user: z.string(),
  account: z.string().nullable(),
  status: z.string(),
  scopes: z.array(z.string()),
  connectedAt: z.string(),
  expiresAt: z.string().nullable(),
  refreshedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  failure: z.string().nullable(),
  failedAt: z.string().nullable(),
})
export type Connection = z.output<typeof Connection>
export const ConnectionList = z.object({ connections: z.array(Connection) })
export const Imported = Connection.extend({ checked: z.boolean() })
export const Disconnected = z.object({ revoked: z.boolean() })

export const Me = z.object({
  user: z.object({ id: z.string(), name: z.string(), role: z.string() }).nullable(),
  scopes: z.array(z.string()),
  servers: z.array(z.string()),
  expiresAt: z.string().optional(),
})

export const Status = z.object({
  version: z.string(),
  uptimeSeconds: z.number(),
  url: z.string(),
  servers: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      description: z.string().optional(),
      shared: z.boolean(),
      needsToken: z.boolean(),
      service: z.string().optional(),
      provider: z.string().optional(),
    }),
  ),
  children: z.array(
    z.object({
      server: z.string(),
      user: z.string().optional(),
      state: z.string(),
      pid: z.number().optional(),
      since: z.string(),
      pending: z.number(),
      rssMb: z.number().optional(),
      failure: z.string().optional(),
    }),
  ),
})
export type Status = z.output<typeof Status>

/** How the gate says that something failed; it brings its own words. */
export const Failure = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.object({ fix: z.string(), requestId: z.string().optional() }),
  }),
})
export type Failure = z.output<typeof Failure>
