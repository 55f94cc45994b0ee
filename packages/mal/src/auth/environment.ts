import { z } from 'zod'
import { systemClock } from '#kit/clock'
import { requireApiUrl, type Fetch } from '#kit/network'
import { createFileStorage } from '../storage/file.ts'
import type { MalSettings } from '../settings.ts'
import { parseToolsets } from '../tools/offer.ts'
import type { Toolset } from '../tools/tool.ts'
import { fixed, type Credentials } from './credentials.ts'
import { createRefreshManager } from './refresh.ts'
import { secret } from '#kit/secret'

const optional = z.string().min(1).optional()
const address = z.string().refine(isApiUrl, 'must be https, or http on this machine')

const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((value) => value === 'true' || value === '1')

const Variables = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
    HOST: z.string().default('127.0.0.1'),
    ALLOWED_HOSTS: z
      .string()
      .default('')
      .transform((names) => names.split(',').flatMap((name) => name.trim() || [])),
    MAL_ACCESS_TOKEN: optional,
    MAL_REFRESH_TOKEN: optional,
    MAL_CLIENT_ID: optional,
    MAL_CLIENT_SECRET: optional,
    MAL_TOOLSETS: z.string().default('core').transform(readToolsets),
    MAL_READ_ONLY: flag,
    MAL_METRICS: flag,
    MAL_REQUESTS_PER_SECOND: z.coerce.number().positive().max(1000).optional(),
    MAL_REQUESTS_PER_HOUR: z.coerce.number().int().positive().optional(),
    MAL_REQUESTS_PER_DAY: z.coerce.number().int().positive().optional(),
    MAL_MAX_ENTRIES: z.coerce.number().int().min(1).max(1_000_000).optional(),
    MAL_LIST_CACHE_SECONDS: z.coerce.number().int().min(0).max(86_400).optional(),
    MAL_DATA_DIR: optional,
    MAL_API_BASE_URL: address.default('https://api.myanimelist.net/v2'),
    MAL_TOKEN_URL: address.default('https://myanimelist.net/v1/oauth2/token'),
  })
  .refine((variables) => variables.MAL_REFRESH_TOKEN === undefined || variables.MAL_CLIENT_ID !== undefined, {
    path: ['MAL_CLIENT_ID'],
    message: 'is needed with MAL_REFRESH_TOKEN: a refresh token belongs to one client id',
  })

export type Environment = z.infer<typeof Variables>

export type ParsedEnvironment =
  | { readonly ok: true; readonly environment: Environment }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads the environment; every problem at once. A variable that is set to nothing counts as not set. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): ParsedEnvironment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim()))
  const { data, error } = Variables.safeParse(given)
  if (data) return { ok: true, environment: data }
  return { ok: false, problems: error.issues.map(({ path, message }) => `${path.join('.')} ${message}`) }
}

/** The account of the environment, `undefined` when it names none. What renews itself goes before what does not. */
export function createEnvironmentCredentials(environment: Environment, fetch: Fetch): Credentials | undefined {
  const { MAL_REFRESH_TOKEN: refreshToken, MAL_CLIENT_ID: clientId, MAL_CLIENT_SECRET: clientSecret } = environment
  if (refreshToken !== undefined && clientId !== undefined) {
    return createRefreshManager({
      tokenUrl: environment.MAL_TOKEN_URL,
      clientId,
      clientSecret: clientSecret === undefined ? undefined : secret(clientSecret),
      refreshToken: secret(refreshToken),
      clock: systemClock,
      fetch,
    })
  }
  return environment.MAL_ACCESS_TOKEN === undefined
    ? undefined
    : fixed(secret(environment.MAL_ACCESS_TOKEN), 'access_token')
}

/** What of the settings the environment decides. */
export function settingsOf(environment: Environment): MalSettings {
  return {
    apiBaseUrl: environment.MAL_API_BASE_URL,
    ...(environment.MAL_DATA_DIR !== undefined && { storage: createFileStorage(environment.MAL_DATA_DIR) }),
    toolsets: environment.MAL_TOOLSETS,
    readOnly: environment.MAL_READ_ONLY,
    limits: {
      requestsPerSecond: environment.MAL_REQUESTS_PER_SECOND,
      requestsPerHour: environment.MAL_REQUESTS_PER_HOUR,
      requestsPerDay: environment.MAL_REQUESTS_PER_DAY,
      maxEntries: environment.MAL_MAX_ENTRIES,
      listCacheSeconds: environment.MAL_LIST_CACHE_SECONDS,
    },
  }
}

function readToolsets(text: string, ctx: z.RefinementCtx): ReadonlySet<Toolset> {
  try {
    return parseToolsets(text.split(','))
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    return z.NEVER
  }
}

function isApiUrl(value: string): boolean {
  try {
    return requireApiUrl(value) !== undefined
  } catch {
    return false
  }
}
