import type { Random } from '../options.ts'
import type { Exchange } from '../server/exchange.ts'
import { findUser, type User } from '../users.ts'

const cookie = 'mal_session'
const limit = 10_000

/** Who is signed in at the emulated site: a cookie of its own, which no form of another site can make use of. */
export function createSessions({ random }: { random: Random }) {
  const sessions = new Map<string, string>()

  return {
    userOf(exchange: Exchange): User | undefined {
      const user = findUser(sessions.get(idOf(exchange) ?? '') ?? '')
      if (user) exchange.seen.user = user.name
      return user
    },
    /** Answers the header that signs the browser in. */
    start(user: User): Record<string, string> {
      const id = random(24).toString('base64url')
      sessions.set(id, user.name)
      const [oldest] = sessions.keys()
      if (sessions.size > limit && oldest !== undefined) sessions.delete(oldest)
      return { 'set-cookie': `${cookie}=${id}; Path=/; HttpOnly; SameSite=Lax` }
    },
    end(exchange: Exchange): Record<string, string> {
      sessions.delete(idOf(exchange) ?? '')
      return { 'set-cookie': `${cookie}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0` }
    },
  }
}

export type Sessions = ReturnType<typeof createSessions>

function idOf({ headers }: Exchange): string | undefined {
  return headers.cookie
    ?.split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === cookie)?.[1]
}
