import { digest } from '../../base/digest.ts'
import type { RedisBus } from './redis-bus.ts'
import { script } from './redis-link.ts'

/** What one process tells of a key. */
export interface Told {
  readonly key: string
  readonly perMinute: number
  /** Calls taken since it told last. */
  readonly spent: number
  /** Calls it has running now. */
  readonly running: number
  /** Whether somebody has asked here since it told last, or it only wants to know. */
  readonly asked: boolean
}

/** What all processes together have. */
export interface Heard {
  /** Less than nothing where more was taken than there was. */
  readonly tokens: number
  /** Calls running in the other processes. */
  readonly elsewhere: number
  /** How many processes are asked for this key at the moment, this one included. */
  readonly sharing: number
}

/**
 * One bucket for all processes, which may be overdrawn: what a process took before it knew better is paid back out of
 * what comes later. Beside it, how many calls each process has running; those of a process that lives no more do not
 * count. The clock is that of Redis, the same for all.
 */
const settle = script(`
local perMinute, spent, me, running = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'i.' .. me)
local elapsed = math.max(0, now - (tonumber(known[2]) or now))
local tokens = math.min(perMinute, (tonumber(known[1]) or perMinute) + elapsed * perMinute / 60000)
tokens = math.max(-perMinute, tokens - spent)
local asked = now
if ARGV[5] == '0' then asked = known[3] and string.match(known[3], '%d+$') or 0 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now, 'i.' .. me, running .. ' ' .. asked)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local elsewhere, sharing = 0, 1
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local other = string.match(all[index], '^i%.(.+)$')
  if other and other ~= me then
    if redis.call('EXISTS', ARGV[7] .. other) == 0 then
      redis.call('HDEL', KEYS[1], all[index])
    else
      local runs, at = string.match(all[index + 1], '^(%d+) (%d+)$')
      elsewhere = elsewhere + runs
      if now - at < 2000 then sharing = sharing + 1 end
    end
  end
end
return { tostring(tokens), elsewhere, sharing }
`)

/** Longer than an idle key needs to be full again, and than the time between two words of one with calls running. */
const KEPT_MS = 150_000

/** Tells Redis what was taken here, and hears what there is. @throws {Problem} `shared.unreachable` */
export async function settleWith(bus: RedisBus, prefix: string, told: Told): Promise<Heard> {
  const { key, perMinute, spent, running, asked } = told
  const counts = [perMinute, spent, bus.instance, running, asked ? 1 : 0, KEPT_MS].map(String)
  const reply = await bus.link.run<readonly [Buffer, number, number]>(
    settle,
    [`${prefix}count.${digest(key)}`],
    [...counts, `${prefix}alive.`],
  )
  return { tokens: Number(reply[0]), elsewhere: reply[1], sharing: reply[2] }
}
