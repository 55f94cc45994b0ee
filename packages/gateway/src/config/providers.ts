import type { ClientConfig, ProviderConfig, ServerConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { nearest } from '#kit/nearest'
import { PROVIDER_ID, type ProviderDefinition, type ProviderEntry } from './provider-schema.ts'
import type { Report } from './report.ts'
import type { ConfigFile } from './schema.ts'
import { readClient } from './templates.ts'
import { isFields, type Fields } from './values.ts'

export type Definitions = Readonly<Record<string, ProviderDefinition>>

export interface ProviderNeeds {
  readonly environment: Environment
  /** The providers that come with the gate. */
  readonly definitions: Definitions
  readonly report: Report
}

/**
 * Checks what the schema cannot say about `providers`, on whatever parts have the right shape.
 *
 * @returns what each provider calls this gate
 */
export function checkProviders(file: unknown, needs: ProviderNeeds): ReadonlyMap<string, ClientConfig> {
  const found = new Map<string, ClientConfig>()
  for (const [id, entry] of Object.entries(providersIn(file))) {
    const path = ['providers', id]
    checkId(id, needs.report)
    if (!isFields(entry)) continue
    if (typeof entry['like'] === 'string') checkLike(file, { id, like: entry['like'] }, needs)
    else checkComplete(id, entry, needs)
    found.set(id, readClient(entry, path, needs))
    warn(file, { id, entry }, needs)
  }
  return found
}

/** One step only: whoever reads the file sees at once what a provider is like. */
function checkLike(file: unknown, { id, like }: { id: string; like: string }, { definitions, report }: ProviderNeeds) {
  const entries = providersIn(file)
  const other = Object.hasOwn(entries, like) ? entries[like] : undefined
  const isKnown = other !== undefined || Object.hasOwn(definitions, like)
  if (isKnown && like !== id && !(isFields(other) && other['like'] !== undefined)) return
  const known = [...new Set([...Object.keys(entries), ...Object.keys(definitions)])].filter((name) => name !== id)
  const near = isKnown ? undefined : nearest(like, known)
  const fix = near ? `Did you mean ${near}?` : 'Name one that is described by itself'
  report.problem(['providers', id, 'like'], { reason: 'is no provider that another can be like', fix })
}

/** The part of the file that names providers, where it has the shape of one. */
export function providersIn(file: unknown): Fields {
  return isFields(file) && isFields(file['providers']) ? file['providers'] : {}
}

function checkId(id: string, report: Report): void {
  if (!PROVIDER_ID.test(id)) report.problem(['providers', id], NO_ID, 'key')
}

const NO_ID = { reason: 'is no id of a provider', fix: 'Write lower case letters, digits and -, at most 64' }

const NEEDED = ['name', 'authorizationUrl', 'tokenUrl'] as const

function checkComplete(id: string, entry: Fields, { definitions, report }: ProviderNeeds): void {
  const missing = Object.hasOwn(definitions, id) ? [] : NEEDED.filter((key) => entry[key] === undefined)
  if (missing.length === 0) return
  const meant = nearest(id, Object.keys(definitions))
  const reason = `does not come with the gate, and has no ${missing.join(', no ')}`
  report.problem(
    ['providers', id],
    { reason, fix: meant ? `Did you mean ${meant}?` : `Write ${missing.join(', ')}` },
    'key',
  )
}

interface Named {
  readonly id: string
  readonly entry: Fields
}

function warn(file: unknown, { id, entry }: Named, { definitions, report }: ProviderNeeds): void {
  const path = ['providers', id]
  const entries = providersIn(file)
  const like = typeof entry['like'] === 'string' ? entry['like'] : undefined
  const other: unknown = like !== undefined && Object.hasOwn(entries, like) ? entries[like] : undefined
  const definition = Object.hasOwn(definitions, like ?? id) ? definitions[like ?? id] : undefined
  const from: Fields = { ...definition, ...(isFields(other) ? other : {}) }
  const merged = { ...from, ...entry }
  // With its tokens elsewhere it is another place, where this client is not known.
  const clientId = hasMoved(from, entry) ? entry['clientId'] : merged['clientId']
  if (clientId === undefined) report.warning(path, notSetUp(definition, id), 'key')
  if (merged['clientAuthentication'] === 'none' && entry['clientSecret'] !== undefined)
    report.warning([...path, 'clientSecret'], NEVER_SENT, 'key')
  if (merged['redirect'] !== 'loopback-any-port' && listensAnywhere(file)) report.warning(path, NEEDS_PORT, 'key')
}

const NEVER_SENT = { reason: 'is never sent with clientAuthentication "none"', fix: 'Remove one of the two' }
const NEEDS_PORT = {
  reason: 'takes only the redirect address that is registered there, and listen.port 0 gives another each time',
  fix: 'Choose a port from 1024 to 65535, and register the address of the gate with /callback at its end',
}

function listensAnywhere(file: unknown): boolean {
  if (!isFields(file) || file['publicUrl'] !== undefined) return false
  return isFields(file['listen']) && file['listen']['port'] === 0
}

/** What an operator hears who has no client id yet. */
export function notSetUp(definition: ProviderDefinition | undefined, id: string) {
  const where = definition?.help ? ` at ${definition.help.url}` : ' there'
  const callback = 'with the address of the gate and /callback as its redirect address'
  return {
    reason: 'has no clientId yet, so that nobody can connect an account',
    fix: `Register an application${where}, ${callback}, and write its id as providers.${id}.clientId`,
  }
}

interface Parts {
  readonly clients: ReadonlyMap<string, ClientConfig>
  readonly definitions: Definitions
  readonly servers: readonly ServerConfig[]
}

/** Puts together what was found right: the providers that the file sets up, and those that servers name. */
export function buildProviders(
  file: ConfigFile,
  { clients, definitions, servers }: Parts,
): Readonly<Record<string, ProviderConfig>> {
  const named = servers.flatMap(({ provider }) => provider ?? [])
  const ids = [...new Set([...Object.keys(file.providers), ...named])]
  return Object.fromEntries(
    ids.flatMap((id) => {
      const { entry, client } = resolve(id)
      const built = buildProvider(id, entry, client)
      return built ? [[id, built]] : []
    }),
  )

  /** An entry with all that it leaves to its definition, or to the provider that it is like. */
  function resolve(id: string): { readonly entry: ProviderEntry; readonly client: ClientConfig | undefined } {
    const own = Object.hasOwn(file.providers, id) ? file.providers[id] : undefined
    const client = clients.get(id)
    if (own?.like === undefined) {
      const definition = Object.hasOwn(definitions, id) ? definitions[id] : undefined
      return { entry: { ...inherited(definition, own), ...own }, client }
    }
    const other = resolve(own.like)
    const isOwnClient = client?.clientId !== undefined || hasMoved(other.entry, own)
    return { entry: { ...inherited(other.entry, own), ...own }, client: isOwnClient ? client : other.client }
  }
}

/**
 * Another token endpoint is another place: what it grants must not be sent to where the tokens of the definition's own
 * belong.
 */
function inherited(definition: ProviderEntry | undefined, entry: ProviderEntry | undefined) {
  if (definition === undefined || !hasMoved(definition, entry)) return definition
  const { account: _account, revocation: _revocation, apiBaseUrl: _api, issuer: _issuer, ...rest } = definition
  return rest
}

interface Tokens {
  readonly tokenUrl?: unknown
}

function hasMoved(from: Tokens | undefined, entry: Tokens | undefined): boolean {
  return entry?.tokenUrl !== undefined && originOf(entry.tokenUrl) !== originOf(from?.tokenUrl)
}

function originOf(url: unknown): string | undefined {
  return typeof url === 'string' ? URL.parse(url)?.origin : undefined
}

/** `undefined` where it is incomplete, which {@link checkProviders} has refused before. */
function buildProvider(
  id: string,
  merged: ProviderEntry,
  client: ClientConfig | undefined,
): ProviderConfig | undefined {
  const { name, authorizationUrl, tokenUrl, issuer, revocation, account, apiBaseUrl, help } = merged
  if (name === undefined || authorizationUrl === undefined || tokenUrl === undefined) return undefined
  return {
    id,
    name,
    authorizationUrl,
    tokenUrl,
    issuer,
    revocation,
    account,
    apiBaseUrl,
    help,
    clientId: client?.clientId,
    clientSecret: client?.clientSecret,
    authorizationParameters: merged.authorizationParameters ?? {},
    pkce: merged.pkce ?? 'S256',
    clientAuthentication: merged.clientAuthentication ?? 'body',
    scopes: merged.scopes ?? [],
    scopeSeparator: merged.scopeSeparator ?? ' ',
    tokenReply: readReply(merged.tokenReply),
    refresh: merged.refresh ?? { rotates: 'optional' },
    redirect: merged.redirect ?? 'exact',
  }
}

function readReply(reply: ProviderDefinition['tokenReply'] = {}): ProviderConfig['tokenReply'] {
  const { format = 'json', errorsWithStatus200 = false, path, grantErrors = [], clientErrors = [] } = reply
  return { format, errorsWithStatus200, path, grantErrors, clientErrors }
}
