import { z } from 'zod'
import { count, duration, megabytes, reject } from './fields.ts'
import { ServerOAuth } from './provider-schema.ts'
import { readValue, valueShape } from './values.ts'

/** A value of env, args, url or headers; told apart and turned into a Template by `servers.ts`. */
const Value = z
  .unknown()
  .superRefine((raw, check) => {
    const value = readValue(raw)
    if ('reason' in value) reject(check, value)
  })
  .meta(valueShape)

const TokenSetup = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(64)
      .describe('What the token is called where it comes from, like `Notion integration secret`.'),
    instructions: z
      .string()
      .min(1)
      .max(2000)
      .describe('How a user gets one, in a sentence or two; shown where it is missing.'),
    helpUrl: z
      .url({ protocol: /^https?$/, error: 'is not an http or https address' })
      .optional()
      .describe('Where a user makes one.'),
    format: z
      .string()
      .min(1)
      .max(200)
      .superRefine((source, check) => {
        if (!isPattern(source)) reject(check, NOT_A_PATTERN)
      })
      .optional()
      .describe(
        'A regular expression (ECMAScript, flag `u`) found in every such token; use `^` and `$` for the whole of it.',
      ),
  })
  .describe('What a user is told when their token is missing, and how a mistyped one is known.')

const NOT_A_PATTERN = { reason: 'is not a regular expression', fix: 'Correct it, or remove it to take any token' }

function isPattern(source: string): boolean {
  try {
    return Boolean(new RegExp(source, 'u'))
  } catch {
    return false
  }
}

/** How a server of ours treats its provider. */
const BuiltinLimits = z
  .strictObject({
    requestsPerSecond: z.number().min(0.01).max(1_000).optional().describe('Of one account. Default: 1.'),
    requestsPerHour: count().optional().describe('Of one account. Default: 3000.'),
    requestsPerDay: count().optional().describe('Of one account. Default: 20000.'),
    maxEntries: count().optional().describe('No more entries of one list are read. Default: 20000.'),
    listCacheSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe('How long a list is answered without asking for it again. Default: 300.'),
  })
  .describe('With `builtin` only, where it has a provider: what it may ask of it, in each process.')
export type BuiltinLimits = z.output<typeof BuiltinLimits>

/** One entry of `mcpServers`, as the file spells it. What belongs together is checked by `servers.ts`. */
export const ServerEntry = z
  .strictObject({
    command: z.string().min(1).optional().describe('The program of a stdio server. It is not run by a shell.'),
    args: z
      .array(Value)
      .default([])
      .describe('Its arguments. Other users of the machine can see arguments: secrets belong into env.'),
    env: z
      .record(z.string(), Value)
      .default({})
      .describe('Its environment. Beside this a child is given PATH, HOME, TMPDIR and LANG only.'),
    cwd: z.string().min(1).optional().describe('The directory it is started in, seen from the file.'),
    shared: z
      .boolean()
      .default(false)
      .describe(
        'One process for all users, in place of one for each. Not possible where a value differs from user to user.',
      ),
    memoryMb: megabytes()
      .optional()
      .describe('Ends the server where it uses more, with all its children. Default: `stdio.memoryMb`.'),
    url: Value.optional().describe(
      'The address of a Streamable HTTP server, or of one of HTTP with SSE. `{{token}}` may stand after the host only. Values as in `env`.',
    ),
    headers: z.record(z.string(), Value).default({}).describe('Headers sent with every request to `url`.'),
    type: z
      .enum(['stdio', 'http', 'streamable-http', 'sse'])
      .optional()
      .describe(
        '`sse` for a `url` of HTTP with SSE, the transport before Streamable HTTP. Any other may be left out: `command` or `url` tell.',
      ),
    builtin: z.string().min(1).optional().describe('The name of a server that comes with the gate.'),
    toolsets: z
      .array(z.string().min(1).max(50))
      .min(1)
      .optional()
      .describe(
        'With `builtin` only: the groups of its tools that are offered, or `all`. What there is stands in its documentation. ' +
          'Default: `core`.',
      ),
    limits: BuiltinLimits.optional(),
    readOnly: z
      .boolean()
      .optional()
      .describe(
        'Leaves out every tool that the server does not say to read only (`readOnlyHint`), for everybody. Each user can do the same for themselves, at `/account`.',
      ),
    provider: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The provider whose account each user connects: a key of `providers`, or one that comes with the gate. Its access ' +
          'token stands where `$userToken` does; without one in `headers`, as `Authorization: Bearer`.',
      ),
    oauth: z
      .union([z.literal(true), ServerOAuth], 'is neither true nor an object in braces')
      .optional()
      .describe(
        'Each user connects an account as the server’s own metadata says (MCP, Authorization). With `url` only.',
      ),
    description: z.string().max(500).optional().describe('What it is for; shown to users.'),
    disabled: z.boolean().default(false).describe('Leaves it out, and leaves its variables unread.'),
    requiresUserToken: z
      .boolean()
      .optional()
      .describe('Whether a user needs a token of their own. True by itself where a value has a `$userToken`.'),
    tokenSetup: TokenSetup.optional(),
    timeoutMs: duration().optional().describe('How long a call may take. Default: `timeouts.callMs`.'),
    startTimeoutMs: duration()
      .optional()
      .describe('How long it may take to start or connect. Default: `timeouts.startMs`.'),
  })
  .meta({
    description: 'One server: exactly one of `command`, `url` and `builtin`.',
    oneOf: [{ required: ['command'] }, { required: ['url'] }, { required: ['builtin'] }],
  })
export type ServerEntry = z.output<typeof ServerEntry>
