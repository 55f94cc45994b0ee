import type { GrantStore } from '../oauth/store.ts'
import type { MalSettings } from '../options.ts'
import { json, type Exchange, type Reply, type Route } from './exchange.ts'
import type { RequestLog } from './request-log.ts'

/** What a test in another process can do: turn settings, end grants, and ask what came. */
export function controlRoutes({ settings, log, grants, generated }: ControlNeeds): Route[] {
  return [
    {
      method: 'GET',
      path: '/_control',
      handle: () => json({ settings, counts: Object.fromEntries(log.counts), generated: generated() }),
    },
    { method: 'POST', path: '/_control', handle: turn },
  ]

  function turn({ body }: Exchange): Reply {
    const command = parseObject(body)
    const given = { ...asObject(command?.['settings']), ...only(command, 'throttle') }
    const wrong = Object.entries(given).filter(([name, value]) => !isSetting(name, value))
    if (!command || wrong.length > 0)
      return json({ message: `cannot set ${wrong.map(([name]) => name).join(', ')}` }, 400)

    Object.assign(
      settings,
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? undefined])),
    )
    const { expireTokens: expire, revoke: revoked } = command
    if (expire === true || typeof expire === 'string') grants.expireAccessTokens(expire === true ? undefined : expire)
    const { user, client } = asObject(revoked)
    if (typeof user === 'string') grants.revoke(user, typeof client === 'string' ? client : undefined)
    return json({ settings })
  }
}

interface ControlNeeds {
  settings: MalSettings
  log: RequestLog
  grants: GrantStore
  generated(): number
}

/** What each setting takes over the wire; `null` clears those that may be absent. */
const accepts = {
  accessTokenSeconds: isSeconds,
  refreshTokenSeconds: isSeconds,
  codeSeconds: isSeconds,
  rotation: oneOf('keep', 'strict'),
  authorize: oneOf('ask', 'access_denied'),
  refreshReply: oneOf('ok', 'html', 'no_refresh_token', 'error', 'hang'),
  throttle: (value) => value === null || hasNumbers(value, 'perSecond', 'burst'),
  throttlePage: oneOf('forbidden', 'html', 'too_many'),
  outage: (value) => value === null || oneOf('unavailable', 'html', 'hang')(value),
  delayMs: (value) => typeof value === 'number' && value >= 0 && value <= 600_000,
  privateList: oneOf('forbidden', 'not_found'),
  removeAbsent: oneOf('ok', 'not_found'),
  writing: oneOf('allowed', 'refused'),
  overlooks: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  numbers: oneOf('numbers', 'strings'),
  failNext: (value) => value === null || hasNumbers(value, 'times', 'status'),
} satisfies Record<keyof MalSettings, (value: unknown) => boolean>

function isSetting(name: string, value: unknown): boolean {
  return Object.entries(accepts).some(([known, fits]) => known === name && fits(value))
}

function isSeconds(value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

function oneOf(...values: readonly string[]) {
  return (value: unknown) => typeof value === 'string' && values.includes(value)
}

function hasNumbers(value: unknown, ...names: readonly string[]): boolean {
  const object = asObject(value)
  return names.every((name) => typeof object[name] === 'number')
}

function only(object: Record<string, unknown> | undefined, name: string): Record<string, unknown> {
  return object && name in object ? { [name]: object[name] } : {}
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
