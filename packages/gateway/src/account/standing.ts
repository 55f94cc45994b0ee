import type { ErrorCode } from '../base/errors.ts'
import type { UpstreamId } from '../base/ids.ts'
import { problem, type Problem } from '../base/problem.ts'
import type { ServiceToken } from '../providers/service.ts'
import type { ConnectionRecord } from '../providers/connection-store.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { AccountServer, ProviderStanding, TokenRecord } from './needs.ts'

/**
 * How a server stands for one user. `missing` is for the user to mend, `unavailable` for somebody else; `ready`
 * asks nothing of its users.
 */
export const standings = ['missing', 'unavailable', 'connected', 'ready'] as const
export type Standing = (typeof standings)[number]

/** A server as its user is shown it. */
export interface ServerView {
  readonly id: UpstreamId
  readonly description: string | undefined
  readonly standing: Standing
  readonly needs: Need
  /** What stands in the way, or last did. */
  readonly failure: Failure | undefined
  readonly changes: Changes
}

/** Whether anything may be changed at a server for this user, and who said so where not. */
export type Changes = 'allowed' | 'not by this user' | 'not by anybody'

/** What a server asks of its users. */
export type Need =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'token'; readonly service: ServiceToken; readonly record: TokenRecord | undefined }
  | {
      readonly kind: 'connection'
      readonly link: ProviderLink
      readonly about: ProviderStanding
      readonly record: ConnectionRecord | undefined
    }

export interface Failure {
  readonly problem: Problem
  readonly at: number | undefined
}

/** What is known of one user. */
export interface Holdings {
  readonly connections: readonly ConnectionRecord[]
  /** The tokens that were pasted. */
  readonly tokens: readonly TokenRecord[]
  /** Where the user lets nothing be changed. */
  readonly readOnly: readonly UpstreamId[]
  aboutProvider(provider: string): ProviderStanding
  readonly now: number
}

/** Works out how every server stands, in the order of the configuration. */
export function viewServers(servers: readonly AccountServer[], held: Holdings): ServerView[] {
  return servers.map((server) => viewServer(server, held))
}

function viewServer(server: AccountServer, held: Holdings): ServerView {
  const { id, description, service, link } = server
  const common = { id, description, changes: changesAt(server, held) }
  if (link !== undefined) return { ...common, ...viewConnection(id, link, held) }
  if (service === undefined) return { ...common, standing: 'ready', needs: { kind: 'nothing' }, failure: undefined }
  const record = held.tokens.find(({ provider }) => provider === service.service)
  const standing = record === undefined ? 'missing' : 'connected'
  return { ...common, standing, needs: { kind: 'token', service, record }, failure: undefined }
}

function changesAt({ id, readOnly }: AccountServer, held: Holdings): Changes {
  if (readOnly) return 'not by anybody'
  return held.readOnly.includes(id) ? 'not by this user' : 'allowed'
}

function viewConnection(server: UpstreamId, link: ProviderLink, { connections, aboutProvider, now }: Holdings) {
  const record = connections.find(({ provider }) => provider === link.provider)
  const about = aboutProvider(link.provider)
  const needs: Need = { kind: 'connection', link, about, record }
  const standing = about.isSetUp ? standingOf(record, about, now) : 'unavailable'
  const failure = about.isSetUp ? record && failureOf(server, link, record) : { problem: notSetUp(link), at: undefined }
  return { needs, standing, failure }
}

/** A failure to renew is nobody's trouble while the token at hand is still good. */
function standingOf(record: ConnectionRecord | undefined, { renews }: ProviderStanding, now: number): Standing {
  if (record === undefined || record.status === 'rejected') return 'missing'
  if (!hasEnded(record, now)) return 'connected'
  if (!renews) return 'missing'
  return record.failure === undefined ? 'connected' : 'unavailable'
}

export function hasEnded({ expiresAt }: ConnectionRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now
}

function failureOf(
  server: UpstreamId,
  { provider: id, name }: ProviderLink,
  record: ConnectionRecord,
): Failure | undefined {
  const { status, failure, failedAt: at } = record
  if (status === 'rejected') return { problem: problem('connection.rejected', { provider: name, server }), at }
  return failure === undefined
    ? undefined
    : { problem: problem(codeOf(failure), { id, provider: name, reason: failure }), at }
}

/** What is kept of a failure to renew is a word for the log; the first row that knows it says it to people. */
function codeOf(word: string): ErrorCode {
  return FAILURES.find(([known]) => known.test(word))?.[1] ?? 'provider.bad_answer'
}

const FAILURES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(?:unreachable|outbound\..*|status_(?:429|5\d\d)|provider\.unreachable)$/, 'provider.unreachable'],
  [/^(?:invalid_client|unauthorized_client|provider\.(?:misconfigured|not_set_up))$/, 'provider.misconfigured'],
  [/^gate\./, 'gate.fault'],
]

/** What only the operator can mend. */
export function notSetUp({ provider: id, name: provider }: ProviderLink): Problem {
  return problem('provider.not_set_up', { id, provider })
}

/** The servers that wait for this user, in their order. */
export function missing(views: readonly ServerView[]): ServerView[] {
  return views.filter(({ standing }) => standing === 'missing')
}

/** What the other side is called: the provider, or the service whose token it is. */
export function nameOf(needs: Need): string | undefined {
  if (needs.kind === 'connection') return needs.link.name
  return needs.kind === 'token' ? needs.service.name : undefined
}

/** Whose account or token it is: servers that need the same one are answered together. */
export function accountOf(needs: Need): string | undefined {
  if (needs.kind === 'connection') return `provider ${needs.link.provider}`
  return needs.kind === 'token' ? `service ${needs.service.service}` : undefined
}
