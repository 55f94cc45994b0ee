import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { dataDirectoryOf } from '../base/data-directory.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { ClientConfig, Config } from './config.ts'
import { parseDocument } from './document.ts'
import { findVariable, readOverrides, withOverrides, type Environment, type Overrides } from './environment.ts'
import { setAsideForeign } from './foreign.ts'
import type { ProviderDefinition } from './provider-schema.ts'
import { buildProviders, checkProviders } from './providers.ts'
import {
  createReport,
  showPath,
  showProblems,
  type ConfigProblem,
  type Path,
  type Report,
  type Trouble,
} from './report.ts'
import { ConfigFile } from './schema.ts'
import { buildServers, checkServers } from './servers.ts'
import { checkShape } from './shape.ts'
import { buildIdentityProviders, checkSignInWith } from './sign-in-with.ts'
import type { Templates } from './templates.ts'
import { buildTenants, checkMethods, checkTenantNames } from './tenants.ts'

export interface ConfigSource {
  /** Its directory is where relative paths begin, and its name is what problems are told with. */
  readonly file: string
  /** Read in place of the file. */
  readonly text?: string | undefined
  readonly environment: Environment
  /** The data directory where SEKISHO_DATA names none. */
  readonly dataDirectory: string
  /** The built-in servers there are; any name is taken where it is left out. */
  readonly builtins?: readonly string[] | undefined
  /** The providers that come with the gate, by id. */
  readonly definitions?: Readonly<Record<string, ProviderDefinition>> | undefined
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] }

/** Says which file is meant: SEKISHO_CONFIG, or `sekisho.jsonc` in the directory. */
export function findConfigFile({ environment, directory }: { environment: Environment; directory: string }): string {
  return resolve(directory, findVariable(environment, 'SEKISHO_CONFIG') ?? 'sekisho.jsonc')
}

/**
 * Reads the configuration: the file, with the environment before it. Never throws; everything that is wrong
 * is reported at once, in the order it stands in the file, and in words that hold no value.
 */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const name = basename(source.file)
  const overrides = readOverrides(source.environment)
  const text = source.text ?? readText(source.file)
  if (typeof text !== 'string') {
    return refuse([...overrides.problems, { source: name, line: 1, column: 1, path: '', ...text }])
  }

  const document = parseDocument(text.replace(/^\uFEFF/, ''))
  const faults = document.faults.map(({ place, path, trouble }) => ({
    source: name,
    ...place,
    path: showPath(path),
    ...trouble,
  }))
  if (document.value === undefined) return refuse([...overrides.problems, ...faults])

  const { problems, warnings, ...report } = createReport({ source: name, locate: document.locate })
  const config = readConfig({ value: document.value, overrides, source, report })
  const found = [...overrides.problems, ...[...faults, ...problems].sort(byPlace)]
  const heeded = [...overrides.warnings, ...warnings.sort(byPlace)]
  return config && found.length === 0 ? { ok: true, config, warnings: heeded } : refuse(found, heeded)
}

/**
 * Reads the configuration, for those who cannot go on without.
 *
 * @throws {Problem} `config.invalid`
 */
export function requireConfig(source: ConfigSource): { config: Config; warnings: readonly ConfigProblem[] } {
  const loaded = loadConfig(source)
  if (!loaded.ok) throw problem('config.invalid', { problems: showProblems(loaded.problems) })
  return loaded
}

function refuse(problems: readonly ConfigProblem[], warnings: readonly ConfigProblem[] = []): LoadedConfig {
  return { ok: false, problems, warnings }
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return a.line - b.line || a.column - b.column
}

function readText(file: string): string | Trouble {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } catch (error) {
    if (error instanceof TypeError) return { reason: 'the file is not UTF-8', fix: 'Save it as UTF-8' }
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return { reason: `the file cannot be read (${code})`, fix: toRead(file, code) }
  }
}

function toRead(file: string, code: string): string {
  if (code === 'EISDIR')
    return `Put a file where the directory ${file} is, which a container’s engine makes where a file that it is to mount is missing`
  if (code === 'EACCES') return `Let the user the gate runs as read ${file}`
  return `Make ${file}, or name another with SEKISHO_CONFIG`
}

interface Reading {
  readonly value: unknown
  readonly overrides: Overrides
  readonly source: ConfigSource
  readonly report: Report
}

/** Checks everything about the file; `undefined` where no configuration can be made of it. */
function readConfig({ value, overrides, source, report }: Reading): Config | undefined {
  const own = setAsideForeign(value, report)
  const alone = checkShape(own, report)
  const { environment, builtins, definitions = {} } = source
  const clients = checkProviders(own, { environment, definitions, report })
  checkTenantNames(own, report)
  const signInClients = checkSignInWith(own, { environment, report })
  const templates = checkServers(own, { environment, builtins, definitions, report })

  const file = alone && ConfigFile.safeParse(withOverrides(own, overrides.fields)).data
  if (!file) return undefined
  const reportOn = (path: Path) => (overrides.has(path) ? overrides.report : report)
  checkAddress(file, reportOn)
  checkMethods(file, reportOn)
  checkWorkers(file, environment, reportOn)
  return build(file, { templates, clients, signInClients, definitions }, source)
}

/** What was read beside the shape of the file. */
interface Read {
  readonly templates: ReadonlyMap<string, Templates>
  readonly clients: ReadonlyMap<string, ClientConfig>
  readonly signInClients: ReadonlyMap<string, ClientConfig>
  readonly definitions: Readonly<Record<string, ProviderDefinition>>
}

/** Who is reached from elsewhere must know its own name: it is in every token and every Host header. */
function checkAddress({ listen, publicUrl, trustProxy }: ConfigFile, reportOn: (path: Path) => Report): void {
  const host = ['listen', 'host']
  if (publicUrl === undefined && !isLoopback(listen.host)) reportOn(host).problem(host, NEEDS_PUBLIC_URL)
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  const warn = (trouble: Trouble) => reportOn(['publicUrl']).warning(['publicUrl'], trouble)
  if (url?.protocol === 'http:' && !isLoopback(url.hostname)) warn(IN_THE_CLEAR)
  if (url?.protocol === 'https:' && trustProxy.length === 0) warn(ONE_FOR_ALL)
}

const NEEDS_PUBLIC_URL = {
  reason: 'an address beyond this machine needs publicUrl',
  fix: 'Write publicUrl with the address people use, or listen on 127.0.0.1',
}
const IN_THE_CLEAR = { reason: 'keys cross the network in the clear', fix: 'Put a proxy with TLS before the gate' }
/** The gate has no TLS of its own, so whoever is reached by https is reached through a proxy. */
const ONE_FOR_ALL = {
  reason: 'the proxy that has the certificate is not trusted, so everybody counts and is recorded as its one address',
  fix: 'Name it in trustProxy, such as ["loopback"] for one on this machine',
}

/** Each would have a database file of its own, and none would know what another was told. */
function checkWorkers({ workers }: ConfigFile, environment: Environment, reportOn: (path: Path) => Report): void {
  const canShare = findVariable(environment, 'DATABASE_URL') && findVariable(environment, 'REDIS_URL')
  if (workers > 1 && !canShare) reportOn(['workers']).problem(['workers'], NOTHING_SHARED)
}

const NOTHING_SHARED = {
  reason: 'several workers would share nothing',
  fix: 'Set DATABASE_URL and REDIS_URL, or run one',
}

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

function build(file: ConfigFile, read: Read, source: ConfigSource): Config {
  const {
    listen,
    allowedOrigins,
    allowedHosts,
    allowedAddresses,
    trustProxy,
    limits,
    timeouts,
    stdio,
    names,
    log,
    audit,
  } = file
  const { oauth, outbound, workers } = file
  const { templates, clients, definitions } = read
  const databaseUrl = findVariable(source.environment, 'DATABASE_URL')
  const redisUrl = findVariable(source.environment, 'REDIS_URL')
  const served = buildServers(file, templates, dirname(resolve(source.file)))
  const { passwordLength, invitationHours } = file.signIn
  const signIn = { passwordLength, invitationHours }
  const people = { signIn, tenants: buildTenants(file), oauth, outbound, trustProxy }
  const sections = {
    listen,
    workers,
    allowedOrigins,
    allowedHosts,
    allowedAddresses,
    ...people,
    limits,
    timeouts,
    stdio,
    names,
    log,
    audit,
  }
  return freeze({
    ...sections,
    publicUrl: file.publicUrl ?? `http://localhost:${listen.port}`,
    ...served,
    identityProviders: buildIdentityProviders(file, read.signInClients),
    providers: buildProviders(file, { clients, definitions, servers: served.servers }),
    dataDirectory: findVariable(source.environment, 'SEKISHO_DATA')
      ? dataDirectoryOf(source.environment)
      : resolve(source.dataDirectory),
    databaseUrl: databaseUrl === undefined ? undefined : secret(databaseUrl),
    redisUrl: redisUrl === undefined ? undefined : secret(redisUrl),
  })
}

/** Freezes a value and all it holds. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
