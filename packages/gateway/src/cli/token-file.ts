import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'

/** The tokens of one account, as another program left them in a file. */
export interface TokenFile {
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  /** In milliseconds since 1970. */
  readonly expiresAt: number | undefined
  readonly scopes: readonly string[] | undefined
}

/** What is said of a value of the wrong kind, or of none. */
const needs = (kind: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : `is no ${kind}`),
})

const Token = z.string(needs('text')).regex(/^[\x21-\x7e]{1,8192}$/, 'is empty, too long, or no token')

/** Times of today in seconds are less, and would be of 1970. */
const EARLIEST_MS = 1_000_000_000_000

const Shape = z
  .strictObject({
    access_token: Token,
    refresh_token: Token.nullish(),
    expires_at: z.number(needs('number')).min(EARLIEST_MS, 'is not in milliseconds since 1970').nullish(),
    user_id: z.union([z.string(), z.number()], 'is no text and no number').nullish(),
    token_type: z
      .string(needs('text'))
      .regex(/^bearer$/i, 'is another than Bearer')
      .nullish(),
    expires_in: z.number(needs('number')).min(0, 'is less than nothing').nullish(),
    scope: z.string(needs('text')).nullish(),
  })
  .refine((file) => !file.expires_at || typeof file.expires_in !== 'number', 'expires_at and expires_in say it twice')

const LARGEST = 65_536

/**
 * Reads a file that tokens of one account are in: `{access_token, refresh_token, expires_at, user_id}`, or what a token
 * endpoint replies, whose `expires_in` counts from when the file was written (RFC 6749 §5.1).
 *
 * @throws {Problem} `cli.file_unreadable`, `cli.tokens_malformed`, in words that hold nothing of the file
 */
export async function readTokenFile(file: string): Promise<TokenFile> {
  const { text, writtenAt } = await read(file)
  const malformed = (reason: string) => problem('cli.tokens_malformed', { file, reason })
  if (text.length > LARGEST) throw malformed('it is too large')
  const parsed = Shape.safeParse(readJson(text))
  if (!parsed.success) throw malformed(reasonOf(parsed.error))
  const { access_token: access, refresh_token: refresh, expires_at: at, expires_in: seconds, scope } = parsed.data
  return {
    accessToken: secret(access),
    refreshToken: refresh ? secret(refresh) : undefined,
    expiresAt: at ? Math.floor(at) : endOf(writtenAt, seconds),
    scopes: scope?.split(' ').filter(Boolean),
  }
}

function endOf(from: number, seconds: number | null | undefined): number | undefined {
  return typeof seconds === 'number' ? Math.floor(from + seconds * 1_000) : undefined
}

async function read(file: string): Promise<{ text: string; writtenAt: number }> {
  try {
    return { text: await readFile(file, 'utf8'), writtenAt: (await stat(file)).mtimeMs }
  } catch (cause) {
    throw problem('cli.file_unreadable', { file, cause })
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}

/** The first thing that is wrong: keys that are names, never what they hold. */
function reasonOf({ issues: [first] }: z.ZodError): string {
  if (first?.code === 'unrecognized_keys') {
    const names = first.keys.filter((key) => /^[a-z][a-z_-]{0,30}$/i.test(key)).join(', ')
    return `it has more in it than the tokens of one account${names && ` (${names})`}`
  }
  const [key] = first?.path ?? []
  if (key !== undefined) return `${String(key)} ${first?.message}`
  return first?.code === 'custom' ? first.message : 'it is no JSON object'
}
