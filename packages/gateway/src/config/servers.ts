import { resolve } from 'node:path'
import type { UpstreamId } from '../base/ids.ts'
import type { Config, ServerConfig, TokenSetup } from './config.ts'
import type { Environment } from './environment.ts'
import { nearest } from '#kit/nearest'
import type { Path, Report, Trouble } from './report.ts'
import type { ConfigFile } from './schema.ts'
import type { ServerEntry } from './server-schema.ts'
import { asksForAccount, buildOAuth, checkAccount, providerOf, withBearer } from './accounts.ts'
import { BUILTIN_PROVIDERS, BUILTIN_TOOLSETS } from './builtins.ts'
import { LITERAL, literalSecrets } from './literals.ts'
import { providersIn, type Definitions } from './providers.ts'
import { checkNames } from './server-names.ts'
import { readTemplates, type Templates } from './templates.ts'
import { holds, isFields, type Fields } from './values.ts'

export interface ServerNeeds {
  readonly environment: Environment
  /** The built-in servers there are; any name is taken where it is left out. */
  readonly builtins?: readonly string[] | undefined
  /** The providers that come with the gate. */
  readonly definitions: Definitions
  readonly report: Report
}

/**
 * Checks what the schema cannot say: names, which keys go together, and every value. Works on whatever parts
 * have the right shape, so that a slip in one place hides nothing in another.
 *
 * @returns the values of each server that is not disabled, by its name.
 */
export function checkServers(file: unknown, needs: ServerNeeds): ReadonlyMap<string, Templates> {
  const servers = isFields(file) && isFields(file['mcpServers']) ? file['mcpServers'] : {}
  checkNames(Object.keys(servers), needs.report)
  const found = new Map<string, Templates>()
  for (const [name, server] of Object.entries(servers)) {
    if (!isFields(server)) continue
    const path = ['mcpServers', name]
    checkServer(server, path, needs)
    checkAccount(server, path, { ...needs, configured: providersIn(file) })
    if (server['disabled'] !== true) found.set(name, readTemplates(server, path, needs))
  }
  return found
}

function checkServer(server: Fields, path: Path, needs: ServerNeeds): void {
  const tell: Tell = (key, trouble) => needs.report.problem(key ? [...path, key] : path, trouble, 'key')
  checkKind(server, tell)
  if (needs.builtins) checkBuiltin(server, needs.builtins, tell)
  checkToolsets(server, path, needs)
  if (server['limits'] !== undefined && !hasProvider(server)) tell('limits', NO_PROVIDER)
  checkPersonal(server, tell)
  for (const at of literalSecrets(server)) needs.report.warning([...path, ...at], LITERAL)
  if (server['disabled'] === true) return
  warn(server, (key, trouble) => needs.report.warning([...path, key ?? ''], trouble, 'key'))
}

/** Reports about a key of one server, or about the server where none is given. */
type Tell = (key: string | undefined, trouble: Trouble) => void

/** What makes a server one of its kind, and which keys only that kind has. */
const KINDS = [
  { key: 'command', types: ['stdio'], only: ['args', 'env', 'cwd', 'shared', 'memoryMb'] },
  { key: 'url', types: ['http', 'streamable-http', 'sse'], only: ['headers', 'oauth'] },
  { key: 'builtin', types: [], only: ['toolsets', 'limits'] },
] as const

function checkKind(server: Fields, tell: Tell): void {
  const kinds = KINDS.filter(({ key }) => server[key] !== undefined)
  const [kind, second] = kinds
  if (!kind) return tell(undefined, NO_KIND)
  if (second) return tell(second.key, { reason: `stands beside ${kind.key}`, fix: 'Keep the one that is meant' })
  for (const { key, only } of KINDS) {
    const strays = key === kind.key ? [] : only.filter((name) => server[name] !== undefined)
    for (const stray of strays)
      tell(stray, { reason: `belongs to a server with ${key}, not with ${kind.key}`, fix: 'Remove it' })
  }
  const other = KINDS.find(({ key, types }) => key !== kind.key && types.some((type) => type === server['type']))
  if (other) tell('type', { reason: `belongs to a server with ${other.key}, not with ${kind.key}`, fix: 'Remove it' })
}

const NO_KIND = { reason: 'has neither command nor url', fix: 'Write the command that starts it, or its url' }

function checkBuiltin({ builtin }: Fields, known: readonly string[], tell: Tell): void {
  if (typeof builtin !== 'string' || known.includes(builtin)) return
  const near = nearest(builtin, known)
  tell('builtin', {
    reason: 'is no built-in server',
    fix: near ? `Did you mean ${near}?` : `There are ${known.join(', ')}`,
  })
}

/** Each name that is none of the server's is told of where it stands; the server itself would fail at its first call. */
function checkToolsets({ builtin, toolsets }: Fields, path: Path, { report }: ServerNeeds): void {
  if (typeof builtin !== 'string' || !Array.isArray(toolsets)) return
  const known = Object.hasOwn(BUILTIN_TOOLSETS, builtin) ? [...(BUILTIN_TOOLSETS[builtin] ?? []), 'all'] : []
  for (const [index, name] of toolsets.entries()) {
    if (typeof name !== 'string' || known.includes(name)) continue
    const near = nearest(name, known)
    const fix = near ? `Did you mean ${near}?` : known.length > 0 ? `There are ${known.join(', ')}` : 'Remove toolsets'
    report.problem([...path, 'toolsets', index], { reason: `is no toolset of ${builtin}`, fix })
  }
}

/** Of a server of another kind it is told that the key is none of its. */
function hasProvider({ builtin }: Fields): boolean {
  return typeof builtin !== 'string' || Object.hasOwn(BUILTIN_PROVIDERS, builtin)
}

const NO_PROVIDER = { reason: 'is of no use to a server that asks no provider', fix: 'Remove it' }

/** What differs from user to user cannot be shared, and a token that is asked for must go somewhere. */
function checkPersonal(server: Fields, tell: Tell): void {
  const usesToken = holds(server, '$userToken')
  if (server['shared'] === true && (usesToken || holds(server, '$user'))) tell('shared', CANNOT_SHARE)
  if (server['requiresUserToken'] === false && usesToken) tell('requiresUserToken', TOKEN_USED)
  if (server['requiresUserToken'] !== true || usesToken || server['builtin'] !== undefined) return
  if (!asksForAccount(server)) tell('requiresUserToken', TOKEN_UNUSED)
}

const CANNOT_SHARE = {
  reason: 'one process cannot be shared where a value differs from user to user',
  fix: 'Remove shared, or take $userToken and $user out',
}
const TOKEN_USED = { reason: 'contradicts the $userToken in its values', fix: 'Remove it' }
const TOKEN_UNUSED = {
  reason: 'asks for a token that no value holds',
  fix: 'Write {"$userToken": "{{token}}"} where the server takes it, or remove it',
}

function warn(server: Fields, tell: Tell): void {
  const { url, command, args, tokenSetup, builtin, type } = server
  if (typeof url === 'string' && type === undefined && /\/sse\/?$/.test(url)) tell('url', OLD_ADDRESS)
  if (typeof command === 'string' && / /.test(command) && args === undefined) tell('command', NOT_A_SHELL)
  if (tokenSetup !== undefined && builtin === undefined && !holds(server, '$userToken'))
    tell('tokenSetup', UNUSED_SETUP)
}

const OLD_ADDRESS = {
  reason: 'looks like an address of HTTP with SSE',
  fix: 'Write "type": "sse", or "type": "http" if it is one of Streamable HTTP',
}
const NOT_A_SHELL = {
  reason: 'is the name of one program, spaces and all',
  fix: 'Put what follows the program into args',
}
const UNUSED_SETUP = { reason: 'is never shown', fix: 'Use {"$userToken": "{{token}}"} in a value, or remove it' }

/** Puts together what was found right. `directory` is where relative paths begin. */
export function buildServers(
  file: ConfigFile,
  templates: ReadonlyMap<string, Templates>,
  directory: string,
): Pick<Config, 'servers' | 'disabledServers'> {
  const disabled = Object.entries(file.mcpServers).filter(([, entry]) => entry.disabled)
  return {
    servers: [...templates].flatMap(([name, values]) => {
      const entry = file.mcpServers[name]
      return (entry && buildServer({ id: asId(name), entry, values, file, directory })) ?? []
    }),
    disabledServers: disabled.map(([name]) => asId(name)),
  }
}

function asId(name: string): UpstreamId {
  return name as UpstreamId
}

interface Checked {
  readonly id: UpstreamId
  readonly entry: ServerEntry
  readonly values: Templates
  readonly file: ConfigFile
  readonly directory: string
}

/** `undefined` where it is of no kind, which {@link checkServers} has refused before. */
function buildServer({ id, entry, values, file, directory }: Checked): ServerConfig | undefined {
  const any = {
    id,
    description: entry.description,
    requiresUserToken: !asksForAccount(entry) && (entry.requiresUserToken ?? usesToken(values)),
    tokenSetup: buildTokenSetup(entry.tokenSetup),
    provider: providerOf(entry),
    timeoutMs: entry.timeoutMs ?? file.timeouts.callMs,
    startTimeoutMs: entry.startTimeoutMs ?? file.timeouts.startMs,
    readOnly: entry.readOnly,
  }
  if (values.url) {
    const headers = asksForAccount(entry) ? withBearer(values) : values.headers
    const sse = entry.type === 'sse' ? true : undefined
    return { ...any, kind: 'http', url: values.url, headers, oauth: buildOAuth(entry.oauth, values.client), sse }
  }
  if (entry.builtin !== undefined) {
    return { ...any, kind: 'builtin', builtin: entry.builtin, toolsets: entry.toolsets, limits: entry.limits }
  }
  if (entry.command === undefined) return undefined
  return {
    ...any,
    kind: 'stdio',
    command: entry.command,
    args: values.args,
    env: values.env,
    cwd: entry.cwd === undefined ? undefined : resolve(directory, entry.cwd),
    shared: entry.shared,
    memoryMb: entry.memoryMb ?? file.stdio.memoryMb,
  }
}

function usesToken({ args, env, headers, url }: Templates): boolean {
  const values = [...args, ...Object.values(env), ...Object.values(headers), ...(url ? [url] : [])]
  return values.some(({ kind }) => kind === 'userToken')
}

function buildTokenSetup(setup: ServerEntry['tokenSetup']): TokenSetup | undefined {
  if (!setup) return undefined
  const { name, instructions, helpUrl, format } = setup
  return { name, instructions, helpUrl, format: format === undefined ? undefined : new RegExp(format, 'u') }
}
