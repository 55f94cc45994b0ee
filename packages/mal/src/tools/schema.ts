import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { z } from 'zod'

/**
 * A schema whose JSON form is made once. A server object lives for one request and asks for it at every call.
 */
export function prepared<Schema extends z.ZodType>(
  schema: Schema,
): StandardSchemaWithJSON<z.input<Schema>, z.output<Schema>> {
  const { jsonSchema, ...standard } = schema['~standard']
  const made = new Map<string, Record<string, unknown>>()
  const once = (io: 'input' | 'output') => (options: { target: string }) => {
    const key = `${io} ${options.target}`
    const json = made.get(key) ?? brief(jsonSchema[io](options))
    made.set(key, json)
    return json
  }
  return { '~standard': { ...standard, jsonSchema: { input: once('input'), output: once('output') } } }
}

/** Without what every reader takes for granted: a model reads each schema whole, again and again. */
function brief(schema: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(schema).filter(([name, value]) => !isGranted(name, value))
  return Object.fromEntries(kept.map(([name, value]) => [name, briefly(value)]))
}

function briefly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(briefly)
  return typeof value === 'object' && value !== null ? brief({ ...value }) : value
}

function isGranted(name: string, value: unknown): boolean {
  return (
    (name === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
    (name === 'maximum' && value === Number.MAX_SAFE_INTEGER)
  )
}

/** A work by its id or by a title; `resolve` makes an id of it. */
export const workRef = z
  .union([z.int().min(1).max(2_147_483_647), z.string().trim().min(1).max(500)])
  .describe('MyAnimeList id, or title')

/** A user by their name, or by the address of their profile or of a list. It becomes a part of an address. */
export const userName = z.preprocess(
  (said) =>
    typeof said === 'string'
      ? (/myanimelist\.net\/(?:profile|animelist|mangalist)\/([\w-]+)/.exec(said)?.[1] ?? said.trim())
      : said,
  z.string().regex(/^[\w-]{2,16}$/, 'is no user name of MyAnimeList: 2 to 16 letters, digits, _ or -'),
)

/** What every tool says of a work. Kinds and states are text: MyAnimeList adds new ones without notice. */
export const workShape = {
  anime: { ...workOf(), num_episodes: z.int().optional() },
  manga: { ...workOf(), num_chapters: z.int().optional(), num_volumes: z.int().optional() },
}

function workOf() {
  return {
    id: z.int(),
    title: z.string(),
    title_en: z.string().optional(),
    media_type: z.string().optional(),
    year: z.int().optional(),
    mean: z.number().optional(),
    genres: z.array(z.string()),
  }
}

/** What the user noted about a work. */
export const notedShape = {
  anime: {
    ...notedOf(),
    num_episodes_watched: z.int(),
    is_rewatching: z.boolean().optional(),
    num_times_rewatched: z.int().optional(),
    rewatch_value: z.int().optional(),
  },
  manga: {
    ...notedOf(),
    num_chapters_read: z.int(),
    num_volumes_read: z.int(),
    is_rereading: z.boolean().optional(),
    num_times_reread: z.int().optional(),
    reread_value: z.int().optional(),
  },
}

function notedOf() {
  return {
    status: z.string(),
    score: z.int().optional(),
    start_date: z.string().optional(),
    finish_date: z.string().optional(),
    priority: z.int().optional(),
    tags: z.array(z.string()).optional(),
    comments: z.string().optional(),
    updated_at: z.string().optional(),
  }
}

/** How much is shown of each entry of a list. */
export const entryFields = z.enum(['compact', 'all']).default('compact')
export type EntryFields = z.output<typeof entryFields>

/** How a page is asked for. */
export function pageInput({ limit, max }: { limit: number; max: number }) {
  return {
    limit: z.int().min(1).max(max).default(limit),
    offset: z.int().min(0).max(1_000_000).default(0),
  }
}

/** What a page says of itself. */
export const pageOutput = {
  count: z.int(),
  offset: z.int(),
  has_more: z.boolean(),
  next_offset: z.int().optional(),
}

/** What was found, and whether it is on the own list. */
export const foundShape = {
  anime: { ...workShape.anime, ...foundOf() },
  manga: { ...workShape.manga, ...foundOf() },
}

function foundOf() {
  return {
    airing_status: z.string().optional(),
    rank: z.int().optional(),
    synopsis: z.string().optional(),
    my_status: z.string().optional(),
    my_score: z.int().optional(),
  }
}
