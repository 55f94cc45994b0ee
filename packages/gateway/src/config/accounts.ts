import type { Template } from '../base/template.ts'
import { BUILTIN_PROVIDERS } from './builtins.ts'
import type { ClientConfig, DiscoveredOAuth } from './config.ts'
import { nearest } from '#kit/nearest'
import type { ServerOAuth } from './provider-schema.ts'
import { notSetUp, type Definitions } from './providers.ts'
import type { Path, Report, Trouble } from './report.ts'
import type { Templates } from './templates.ts'
import { holds, isFields, type Fields } from './values.ts'

interface AccountNeeds {
  readonly definitions: Definitions
  /** `providers` of the file. */
  readonly configured: Fields
  readonly report: Report
}

interface Account {
  readonly provider?: unknown
  readonly oauth?: unknown
  readonly builtin?: unknown
  readonly requiresUserToken?: unknown
}

/** Answers whether each user connects an account for the server, in place of pasting a token. */
export function asksForAccount(server: Account): boolean {
  return providerOf(server) !== undefined || server.oauth !== undefined
}

/** The provider whose account a server needs: named, or the one that a built-in server is made for. */
export function providerOf({ provider, builtin, requiresUserToken }: Account): string | undefined {
  if (typeof provider === 'string') return provider
  if (typeof builtin !== 'string' || requiresUserToken === true) return undefined
  return Object.hasOwn(BUILTIN_PROVIDERS, builtin) ? BUILTIN_PROVIDERS[builtin] : undefined
}

/** Checks `provider` and `oauth` of a server against the rest of it and of the file. */
export function checkAccount(server: Fields, path: Path, needs: AccountNeeds): void {
  const tell = (key: string, trouble: Trouble) => needs.report.problem([...path, key], trouble, 'key')
  if (typeof server['provider'] === 'string') checkProvider(server['provider'], [...path, 'provider'], server, needs)
  if (!asksForAccount(server)) return
  if (server['provider'] !== undefined && server['oauth'] !== undefined) tell('oauth', TWO_ACCOUNTS)
  if (server['requiresUserToken'] !== undefined) tell('requiresUserToken', NO_TOKEN)
  if (server['tokenSetup'] !== undefined && server['builtin'] === undefined) tell('tokenSetup', NO_TOKEN)
  if (server['shared'] === true) tell('shared', CANNOT_SHARE)
  if (server['command'] !== undefined && server['provider'] !== undefined && !holds(server, '$userToken'))
    tell('provider', GOES_NOWHERE)
  if (server['oauth'] !== undefined && isFields(server['url']) && server['url']['$env'] === undefined)
    tell('oauth', MANY_ADDRESSES)
  const authorization = findAuthorization(server)
  if (server['url'] !== undefined && authorization !== undefined && !holds(server, '$userToken'))
    needs.report.problem([...path, 'headers', authorization], TAKEN, 'key')
}

const TWO_ACCOUNTS = { reason: 'stands beside provider', fix: 'Keep the one that is meant' }
const NO_TOKEN = { reason: 'is about pasted tokens, and users connect an account here', fix: 'Remove it' }
const CANNOT_SHARE = {
  reason: 'one process cannot be shared where each user has an account of their own',
  fix: 'Remove shared',
}
const GOES_NOWHERE = {
  reason: 'gives an access token that no value holds',
  fix: 'Write {"$userToken": "{{token}}"} in env, where the server takes it',
}
const MANY_ADDRESSES = {
  reason: 'needs one address for all users: it is what their tokens are made for',
  fix: 'Write url without $userToken and $user',
}
const TAKEN = {
  reason: 'stands where the access token of each user goes',
  fix: 'Remove it, or write {"$userToken": "{{token}}"} where the token goes',
}

function checkProvider(
  id: string,
  path: Path,
  server: Fields,
  { definitions, configured, report }: AccountNeeds,
): void {
  if (Object.hasOwn(configured, id)) return
  const definition = Object.hasOwn(definitions, id) ? definitions[id] : undefined
  if (definition && server['disabled'] !== true) report.warning(path, notSetUp(definition, id))
  if (definition) return
  const meant = nearest(id, [...Object.keys(definitions), ...Object.keys(configured)])
  const fix = meant ? `Did you mean ${meant}?` : 'Write it under providers as well, with its clientId and endpoints'
  report.problem(path, { reason: 'is no provider that this file or the gate knows', fix })
}

function findAuthorization({ headers }: Fields): string | undefined {
  return isFields(headers) ? Object.keys(headers).find((name) => name.toLowerCase() === 'authorization') : undefined
}

/** The headers of a server whose users connect an account; where none of its values takes the token, one is added. */
export function withBearer({ headers, url }: Templates): Readonly<Record<string, Template>> {
  const values = [...Object.values(headers), ...(url ? [url] : [])]
  if (values.some(({ kind }) => kind === 'userToken')) return headers
  return { ...headers, Authorization: { kind: 'userToken', pattern: 'Bearer {{token}}' } }
}

export function buildOAuth(
  oauth: true | ServerOAuth | undefined,
  client: ClientConfig | undefined,
): DiscoveredOAuth | undefined {
  if (oauth === undefined) return undefined
  const scopes = oauth === true ? undefined : oauth.scopes
  return { clientId: client?.clientId, clientSecret: client?.clientSecret, scopes }
}
