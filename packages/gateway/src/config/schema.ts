import { isIP } from 'node:net'
import { z } from 'zod'
import { bytes, count, duration, megabytes, reject } from './fields.ts'
import {
  EndpointLimits,
  OAuthSection,
  OutboundSection,
  SignInSection,
  TENANT_NAME,
  TenantEntry,
} from './people-schema.ts'
import { PROVIDER_ID, ProviderEntry } from './provider-schema.ts'
import { ServerEntry } from './server-schema.ts'

/** The default of `listen.port`: S-E-K-I on a phone's keys. */
const DEFAULT_PORT = 7354

/** More than any machine has use for: a slip of the keyboard shall not start thousands. */
const MOST_WORKERS = 256

/** What a server may be called: also a part of every tool's name, hence no `__`, and short. */
export const SERVER_NAME = /^(?!sekisho$)(?=.{1,24}$)[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_|$))*$/i

const PublicUrl = z
  .string()
  .superRefine((text, check) => {
    const url = URL.parse(text)
    if (!url || !/^https?:$/.test(url.protocol)) return reject(check, NOT_A_URL)
    if (url.username || url.password || url.pathname !== '/' || url.search || url.hash) reject(check, NOT_AN_ORIGIN)
  })
  .transform((text) => URL.parse(text)?.origin ?? text)

const NOT_A_URL = { reason: 'is not an http or https address', fix: 'Write it like https://gate.example.com' }
const NOT_AN_ORIGIN = { reason: 'holds more than scheme, host and port', fix: 'Write it like https://gate.example.com' }

const Origin = z.string().superRefine((text, check) => {
  if (text === '*') return reject(check, ANY_ORIGIN)
  if (URL.parse(text)?.origin !== text) reject(check, NOT_A_WEB_ORIGIN)
})

const ANY_ORIGIN = {
  reason: 'would let every web page call the gate',
  fix: 'Name each origin, like https://app.example.com',
}
const NOT_A_WEB_ORIGIN = { reason: 'is not a web origin', fix: 'Write scheme, host and port only, in lower case' }

const HostName = z.string().superRefine((text, check) => {
  const url = URL.parse(`http://${text}`)
  if (!url || (url.host !== text && `${url.host}:80` !== text)) reject(check, NOT_A_HOST)
})

const NOT_A_HOST = { reason: 'is not a host', fix: 'Write a name, with a port where it has one, in lower case' }

const NetworkAddress = z.string().superRefine((text, check) => {
  const [address = '', length, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const isRange = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits)
  if (text !== 'loopback' && (isIP(address) === 0 || !isRange || rest.length > 0)) reject(check, NOT_AN_ADDRESS)
})

const NOT_AN_ADDRESS = { reason: 'is no address', fix: 'Write an address, a range like 10.0.0.0/8, or loopback' }

const ListenHost = z
  .string()
  .regex(/^[A-Za-z0-9.:-]+$/, 'is not an address to listen on')
  .default('127.0.0.1')

/** `sekisho.jsonc`: types, defaults and the words of the reference page. */
export const ConfigFile = z.strictObject({
  $schema: z.string().optional().describe('Where an editor finds the schema of this file.'),
  mcpServers: z
    .record(z.string(), ServerEntry)
    .default({})
    .meta({
      description:
        'The servers behind the gate, by name: letters, digits, `-` and single `_`, at most 24, not `sekisho`; ' +
        'names that differ only in case are the same.',
      propertyNames: { pattern: SERVER_NAME.source, maxLength: 24 },
    }),
  providers: z
    .record(z.string(), ProviderEntry)
    .default({})
    .meta({
      description:
        'The services whose accounts users connect, by id. One that comes with the gate needs no more than the client id ' +
        'the operator was given there; any other needs `name`, `authorizationUrl` and `tokenUrl` as well.',
      propertyNames: { pattern: PROVIDER_ID.source },
    }),
  publicUrl: PublicUrl.optional().describe(
    'The address people use, and the base of every resource identifier. Default: `http://localhost:` and the port. ' +
      'Needed wherever the gate listens on anything but loopback.',
  ),
  listen: z
    .strictObject({
      host: ListenHost.describe('The address to listen on. Anything but loopback needs `publicUrl`.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .default(DEFAULT_PORT)
        .describe('The port; 0 takes any free one, for tests: only what is printed at the start says which.'),
    })
    .prefault({})
    .describe('Where the gate listens. TLS is the reverse proxy’s.'),
  workers: count()
    .max(MOST_WORKERS)
    .default(1)
    .describe(
      'How many processes serve, each a whole gate on the same address. More than one needs `DATABASE_URL` and `REDIS_URL`, ' +
        'through which they share what they must.',
    ),
  allowedOrigins: z
    .array(Origin)
    .default([])
    .describe(
      'Web origins whose pages may call MCP, beside the gate’s own and, where the gate is on loopback, those of loopback. ' +
        'Metadata, `/token`, `/register` and `/revoke` are open to every origin; pages and the admin API to none.',
    ),
  allowedHosts: z
    .array(HostName)
    .default([])
    .describe(
      'Values of the Host header that are answered, beside that of `publicUrl` and, with the port the request came in ' +
        'by, `localhost`, `127.0.0.1` and `[::1]`.',
    ),
  trustProxy: z
    .array(NetworkAddress)
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` or `Forwarded` says where a request came from: addresses, ranges like `10.0.0.0/8`, or `loopback`.',
    ),
  allowedAddresses: z
    .array(NetworkAddress)
    .default([])
    .describe(
      'From where requests are answered: addresses, ranges like `10.0.0.0/8`, or `loopback`; from everywhere where it is ' +
        'empty. Behind a proxy it is what `trustProxy` lets that proxy say. Health checks are answered to everybody.',
    ),
  signIn: SignInSection,
  tenants: z
    .record(z.string(), TenantEntry)
    .default({})
    .meta({
      description:
        'Groups of people who share nothing but the gate and its servers, by name. Each that is named here is made when ' +
        'the gate starts; `default` is there always. Whoever signs in to another writes its name and `/` before theirs.',
      propertyNames: { pattern: TENANT_NAME.source },
    }),
  oauth: OAuthSection,
  outbound: OutboundSection,
  limits: z
    .strictObject({
      callsPerMinute: count().default(600).describe('How many calls a user may make in a minute.'),
      concurrentCalls: count().default(64).describe('How many calls of one user may be in flight.'),
      perMinute: EndpointLimits,
      connections: count().default(10_000).describe('How many connections may be open at once; of each worker.'),
      connectionsPerAddress: count()
        .default(2_048)
        .describe(
          'How many of them may come from one address, or one IPv6 network of /64; not of those in `trustProxy`.',
        ),
      requestsInFlight: count()
        .default(10_000)
        .describe(
          'How many requests may be answered at once, streams included; more are answered 503 with `Retry-After`.',
        ),
      streams: count()
        .default(5_000)
        .describe(
          'How many streams may be open in which clients are told of changes; of each worker. More are answered 503.',
        ),
      streamsPerUser: count()
        .default(256)
        .describe(
          'How many of them may be one user’s. As many sessions of the older revisions are followed of a user whose clients come back to them.',
        ),
      sessionsPerUser: count()
        .default(10_000)
        .describe(
          'Of how many sessions of the older revisions something is kept for a user: a log level, subscriptions, or that it has ended.',
        ),
      requestsWaiting: count()
        .default(1_024)
        .describe('How many requests of one address may wait for their turn; more are answered 503.'),
      waitMs: duration()
        .default(2_000)
        .describe('How long a request may wait for its turn, in milliseconds, before it is answered 503.'),
      pipelined: count()
        .default(8)
        .describe('How many requests may wait on one connection behind another; with more the connection is closed.'),
      loopDelayMs: duration()
        .default(1_000)
        .describe(
          'How late the process may be for its work, in milliseconds, before new requests are answered 503, but for one of each address now and then.',
        ),
      heapPercent: z
        .int()
        .min(10)
        .max(100)
        .default(90)
        .describe(
          'How much of the heap Node allows itself may be in use, in percent, before new requests are answered 503.',
        ),
      headerBytes: bytes()
        .default(16_384)
        .describe('How long the address and the headers of a request may be, in bytes.'),
      requestBytes: bytes().default(4_194_304).describe('The largest request, in bytes.'),
      answerBytes: bytes().default(67_108_864).describe('The largest answer of a server, in bytes.'),
    })
    .prefault({})
    .describe('How much, how often.'),
  timeouts: z
    .strictObject({
      callMs: duration().default(120_000).describe('How long a call may take.'),
      startMs: duration().default(30_000).describe('How long a server may take to start or connect.'),
      listMs: duration()
        .default(10_000)
        .describe('How long a list waits for one server before its last known tools are shown.'),
      headersMs: duration().default(10_000).describe('How long the headers of a request may take to arrive.'),
      bodyMs: duration().default(30_000).describe('How long the body of a request may take to arrive.'),
      drainMs: duration().default(10_000).describe('How long calls in flight are waited for when the gate stops.'),
    })
    .prefault({})
    .describe('Deadlines, in milliseconds.'),
  stdio: z
    .strictObject({
      maxChildren: count().default(64).describe('How many servers may run at once.'),
      maxChildrenPerUser: count().default(16).describe('How many of them may be one user’s.'),
      idleMs: duration().default(600_000).describe('After how many milliseconds without a call a server is ended.'),
      memoryMb: megabytes().default(1024).describe('A server that uses more is ended, with all its children.'),
      logBytes: bytes().default(65_536).describe('How much of a server’s stderr is kept, in bytes.'),
    })
    .prefault({})
    .describe('Servers that run as child processes.'),
  names: z
    .strictObject({
      clientPrefix: z
        .string()
        .max(29)
        .regex(/^[A-Za-z0-9_-]*$/, 'holds more than letters, digits, _ and -')
        .default('mcp__sekisho__')
        .describe('What clients put before a tool’s name, at most 29 characters. Together they stay within 64.'),
    })
    .prefault({})
    .describe('The names of tools.'),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The least that is logged.'),
      format: z
        .enum(['auto', 'json', 'text'])
        .default('auto')
        .describe('`auto` is `text` in a terminal, `json` elsewhere.'),
    })
    .prefault({})
    .describe('The log, on stderr.'),
  audit: z
    .strictObject({
      synchronous: z
        .boolean()
        .default(false)
        .describe('Writes each audit entry before the answer. Otherwise a hard kill may lose the last 100 ms.'),
    })
    .prefault({})
    .describe('The audit log.'),
})
export type ConfigFile = z.output<typeof ConfigFile>

/** The JSON Schema of the file, for editors, the reference page, and the keys known at a path. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(ConfigFile, { io: 'input' })
}
