import { z } from 'zod'
import type { MalProblem } from '../api/problem.ts'
import type { Probe, TokenFacts } from '../auth/account.ts'
import { oneLine } from '../list/one-line.ts'
import { expiryLine, iso, ownerLine } from './auth-status.ts'
import { tool } from './tool.ts'
import { tried } from './tried.ts'

const text = z.string().optional()
const tokenShape = {
  source: z.enum(['request', 'access_token', 'refresh_token', 'none']),
  readable: z.boolean(),
  issued_at: text,
  expires_at: text,
  scopes: z.array(z.string()).optional(),
  client_id: text,
  renewed_here: z.boolean(),
}

/** What may be told of the token. */
export const getTokenInfo = tool({
  name: 'mal_get_token_info',
  toolset: 'account',
  title: 'Token information',
  description: 'What the access token says of itself: when it was issued and ends, its scopes. Never the token itself.',
  effect: 'reads',
  input: z.object({}),
  output: z.object(tokenShape),
  async run({ account, now }) {
    const facts = account.token()
    return { data: showToken(facts), lines: tokenLines(facts, now()) }
  },
})

/** Gets another token now. */
export const rotateTokens = tool({
  name: 'mal_rotate_tokens',
  toolset: 'account',
  title: 'Renew the token',
  description: 'Renews the access token now, before it ends. The account and its lists stay as they are.',
  effect: 'writes',
  input: z.object({}),
  output: z.object({ renewed: z.boolean(), ...tokenShape }),
  async run({ account, now }) {
    const facts = await account.renew()
    return {
      data: { renewed: true, ...showToken(facts) },
      lines: ['The token was renewed.', ...tokenLines(facts, now())],
    }
  },
})

const verdicts = ['accepted', 'refused', 'none', 'not tested'] as const

/** Whether MyAnimeList can be reached, and with this account. */
export const testConnection = tool({
  name: 'mal_test_connection',
  toolset: 'account',
  title: 'Test the connection',
  description: 'Whether MyAnimeList answers, how fast, and whether it accepts this account.',
  effect: 'reads',
  needsAccount: false,
  input: z.object({}),
  output: z.object({
    host: z.string(),
    reachable: z.boolean(),
    latency_ms: z.int().optional(),
    account: z.enum(verdicts),
    says: text,
  }),
  async run({ account }) {
    const reached = await tried(() => account.ping())
    const isSignedIn = account.token().source !== 'none'
    const asked = isSignedIn && reached.value ? await tried(() => account.probe('profile')) : undefined
    const accepted = verdictOf(isSignedIn, asked)
    const says = (reached.problem ?? asked?.problem)?.message
    return {
      data: {
        host: account.host,
        reachable: reached.value !== undefined,
        latency_ms: reached.value?.ms,
        account: accepted,
        says,
      },
      lines: [
        reached.value
          ? `${account.host} answered in ${reached.value.ms} ms. The account is ${accepted}.`
          : `${account.host} cannot be reached.`,
        ...(says === undefined ? [] : [says]),
      ],
    }
  },
})

const reads = ['profile', 'anime_list', 'manga_list'] as const satisfies readonly Probe[]

/** What the account may do, tried without changing anything. */
export const checkPermissions = tool({
  name: 'mal_check_permissions',
  toolset: 'account',
  title: 'Check permissions',
  description: 'Tries what this account may read, and whether it may write, without changing anything.',
  effect: 'reads',
  input: z.object({}),
  output: z.object({
    profile: z.boolean(),
    anime_list: z.boolean(),
    manga_list: z.boolean(),
    write: z.boolean(),
    read_only_server: z.boolean(),
    scopes: z.array(z.string()).optional(),
    says: z.record(z.string(), z.string()),
  }),
  async run({ account }) {
    const says: Record<string, string> = {}
    const may = async (probe: Probe) => {
      const { problem } = await tried(() => account.probe(probe))
      // A token that is rejected may do nothing, and is to be renewed.
      if (problem?.code === 'token_rejected') throw problem
      if (problem) says[probe] = problem.message
      return problem === undefined
    }
    const [profile, animeList, mangaList, write] = [
      await may('profile'),
      await may('anime_list'),
      await may('manga_list'),
      await may('write'),
    ]
    const { scopes } = account.token()
    const granted = [profile, animeList, mangaList].map((may, index) => `${reads[index]}: ${may ? 'yes' : 'no'}`)
    return {
      data: {
        profile,
        anime_list: animeList,
        manga_list: mangaList,
        write,
        read_only_server: account.isReadOnly,
        scopes: scopes === undefined ? undefined : [...scopes],
        says,
      },
      lines: [
        `Reading ${granted.join(', ')}. Writing: ${write ? 'yes' : 'no'}.`,
        ...(account.isReadOnly ? ['This server is read-only, whatever the account may do.'] : []),
        ...Object.entries(says).map(([probe, why]) => `${probe}: ${why}`),
      ],
    }
  },
})

/** Who the account is. */
export const getProfile = tool({
  name: 'get_my_profile',
  toolset: 'account',
  title: 'My profile',
  description: "The user's own profile on MyAnimeList, with MyAnimeList's own count of their anime list.",
  effect: 'reads',
  input: z.object({}),
  output: z.object({
    id: z.int(),
    name: z.string(),
    picture: text,
    gender: text,
    birthday: text,
    location: text,
    joined_at: text,
    time_zone: text,
    is_supporter: z.boolean().optional(),
    anime_statistics: z.record(z.string(), z.number()),
  }),
  async run({ mal, account }) {
    const me = await mal.me()
    const { num_items: items = 0, num_episodes: episodes = 0, mean_score: mean = 0 } = me.animeStatistics
    return {
      data: {
        id: me.id,
        name: me.name,
        picture: me.picture,
        gender: me.gender,
        birthday: me.birthday,
        location: me.location,
        joined_at: me.joinedAt,
        time_zone: me.timeZone,
        is_supporter: me.isSupporter,
        anime_statistics: me.animeStatistics,
      },
      lines: [
        `${oneLine(me.name)} (id ${me.id})${me.timeZone === undefined ? '' : `, time zone ${oneLine(me.timeZone)}`}`,
        `${items} anime, ${episodes} episodes, mean score ${mean}`,
        ownerLine(account),
      ],
    }
  },
})

function verdictOf(isSignedIn: boolean, asked: { problem?: MalProblem } | undefined): (typeof verdicts)[number] {
  if (!isSignedIn) return 'none'
  if (asked === undefined) return 'not tested'
  return asked.problem === undefined ? 'accepted' : 'refused'
}

function showToken({ source, isReadable, issuedAt, expiresAt, scopes, clientId, isRenewedHere }: TokenFacts) {
  return {
    source,
    readable: isReadable,
    issued_at: iso(issuedAt),
    expires_at: iso(expiresAt),
    scopes,
    client_id: clientId,
    renewed_here: isRenewedHere,
  }
}

function tokenLines({ source, scopes, expiresAt, isRenewedHere, isReadable }: TokenFacts, now: number): string[] {
  const granted = scopes === undefined ? 'not said' : scopes.length === 0 ? 'none named' : scopes.join(', ')
  return [
    `From: ${source}. Scopes: ${oneLine(granted)}. What it says was ${isReadable ? 'read, not proven' : 'not readable'}.`,
    expiryLine(expiresAt, isRenewedHere, now),
  ]
}
