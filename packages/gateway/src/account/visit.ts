import type { Context, Hono } from 'hono'
import { problem } from '../base/problem.ts'
import type { Viewer } from '../pages/page.ts'
import type { Holder } from '../providers/credential.ts'
import type { AccountServer, Person } from './needs.ts'

/** What stands beside every request of these pages. */
export interface AccountEnv {
  readonly Bindings: { readonly address: string; readonly requestId: string }
  readonly Variables: { person: Person | undefined; form: URLSearchParams }
}
export type AccountHono = Hono<AccountEnv>
export type AccountContext<P extends string = string> = Context<AccountEnv, P>

/** One request of somebody who is signed in, its form checked. */
export interface Visit {
  readonly url: URL
  readonly person: Person
  /** Whose accounts these are; never what a request names. */
  readonly holder: Holder
  readonly address: string
  /** The name the gate was called by. */
  readonly host: string
  /** What the browser says it is. */
  readonly browser: string
  readonly requestId: string
  readonly form: URLSearchParams
}

/** @throws {Problem} `login.required` */
export function visitOf(context: AccountContext): Visit {
  const { address, requestId } = context.env
  const person = context.get('person')
  if (person === undefined) throw problem('login.required')
  const { tenant, userId } = person
  return {
    url: new URL(context.req.url),
    person,
    holder: { tenant, userId },
    address,
    host: context.req.header('Host') ?? '',
    browser: context.req.header('User-Agent') ?? '',
    requestId,
    form: context.get('form'),
  }
}

export function viewerOf({ userName: name, csrf }: Person, at?: string): Viewer {
  return { name, csrf, at }
}

/** What every entry of the audit log says: who did it, under which request id. */
export function doneBy({ person, requestId }: Visit) {
  return { userId: person.userId, requestId }
}

/** @throws {Problem} `upstream.unknown` */
export function requireServer(servers: readonly AccountServer[], id: string): AccountServer {
  const server = servers.find((candidate) => candidate.id === id)
  if (server === undefined) throw problem('upstream.unknown', { server: id })
  return server
}
