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
    const json = made.get(key) ?? jsonSchema[io](options)
    made.set(key, json)
    return json
  }
  return { '~standard': { ...standard, jsonSchema: { input: once('input'), output: once('output') } } }
}

/** What every tool says of an anime. Kinds and states are text: MyAnimeList adds new ones without notice. */
export const animeShape = {
  id: z.int().describe('MyAnimeList id'),
  title: z.string(),
  title_en: z.string().optional().describe('English title, where it differs'),
  media_type: z.string().optional().describe('tv, movie, ova, ona, special, music, …'),
  year: z.int().optional(),
  num_episodes: z.int().optional().describe('Absent while not known'),
  mean: z.number().optional().describe('Community score, 1 to 10'),
  genres: z.array(z.string()),
}

/** What the user noted about an anime. */
export const listShape = {
  status: z.string().describe('watching, completed, on_hold, dropped or plan_to_watch'),
  score: z.int().optional().describe('1 to 10; absent when not scored'),
  num_episodes_watched: z.int(),
  is_rewatching: z.boolean().optional(),
  num_times_rewatched: z.int().optional(),
  start_date: z.string().optional(),
  finish_date: z.string().optional(),
  updated_at: z.string().optional(),
  tags: z.array(z.string()).optional(),
}
