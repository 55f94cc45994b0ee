import { z } from 'zod'
import { MalProblem } from '../api/problem.ts'
import { kinds } from '../list/entry.ts'
import { createTroubles, workOf, type FileEntry, type FileLimits, type ListFile } from './file.ts'

/** The name and version that a file of this form carries. */
const FORMAT = 'sekisho-mal-list'
const VERSION = 1

const text = z.string().nullish()
const number = z.number().nullish()
const texts = z.array(z.string()).default([])

const WorkForm = z.object({
  id: z.int().positive(),
  title: z.string(),
  englishTitle: text,
  japaneseTitle: text,
  synonyms: texts,
  mediaType: text,
  state: text,
  units: number,
  volumes: number,
  episodeSeconds: number,
  year: number,
  season: z.enum(['winter', 'spring', 'summer', 'fall']).nullish(),
  startDate: text,
  endDate: text,
  broadcast: z
    .object({ day: z.string(), time: z.string().optional() })
    .transform(({ day, time }) => ({ day, time }))
    .nullish(),
  mean: number,
  rank: number,
  popularity: number,
  listUsers: number,
  scoringUsers: number,
  genres: texts,
  studios: texts,
  authors: texts,
  source: text,
  rating: text,
  nsfw: text,
  picture: text,
})

/** `null` is none, as the user left it; what is absent is not spoken of. */
const none = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullable()
    .transform((value) => value ?? undefined)
    .exactOptional()

const NotedForm = z.object({
  status: z.string().exactOptional(),
  score: none(z.int().min(1).max(10)),
  progress: z.int().min(0).exactOptional(),
  volumes: z.int().min(0).exactOptional(),
  isRepeating: z.boolean().exactOptional(),
  timesRepeated: z.int().min(0).exactOptional(),
  repeatValue: z.int().min(0).max(5).exactOptional(),
  priority: z.int().min(0).max(2).exactOptional(),
  startDate: none(z.string()),
  finishDate: none(z.string()),
  tags: z.array(z.string()).exactOptional(),
  comments: z.string().exactOptional(),
  updatedAt: z.string().exactOptional(),
})

const EntryForm = z.object({
  work: WorkForm,
  noted: NotedForm,
  others: z.record(z.string(), z.string()).optional(),
})

const FileForm = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  kind: z.enum(kinds),
  owner: z.object({ id: z.int().optional(), name: z.string().optional() }).optional(),
  entries: z.array(z.unknown()),
})

/** Everything that is known, piece by piece, one entry a line: nothing is lost when it is read again. */
export function* writeJson({ kind, owner, entries }: ListFile): Generator<string> {
  const head = JSON.stringify({ format: FORMAT, version: VERSION, kind, owner })
  yield `${head.slice(0, -1)},"entries":[`
  let between = '\n'
  for (const { work, noted, others } of entries) {
    yield `${between}${JSON.stringify({ work: { ...work, kind: undefined }, noted: withNone(noted), others })}`
    between = ',\n'
  }
  yield '\n]}\n'
}

/**
 * Reads what `writeJson` wrote. An entry that does not fit is left out and named.
 *
 * @throws {MalProblem} `file_unreadable` where it is something else, `file_too_large` with more entries than allowed
 */
export function readJson(source: string, limits: FileLimits): ListFile {
  const parsed = FileForm.safeParse(parse(source))
  if (!parsed.success) {
    throw new MalProblem('file_unreadable', { says: `It is JSON, and no "${FORMAT}" of version ${VERSION}.` })
  }
  const { kind, owner, entries: forms } = parsed.data
  if (forms.length > limits.entries) {
    throw new MalProblem('file_too_large', { says: `At most ${limits.entries} entries are read.` })
  }
  const troubles = createTroubles()
  const entries = forms.flatMap((form, place): FileEntry[] => {
    const read = EntryForm.safeParse(form)
    if (!read.success) {
      const issues = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      troubles.add(`entry ${place + 1}`, `${issues.join('; ')}; it was left out`)
      return []
    }
    const { work, noted, others } = read.data
    return [{ work: workOf(kind, work.id, work.title, withoutNull(work)), noted, ...(others && { others }) }]
  })
  return { kind, owner: owner && { id: owner.id, name: owner.name }, entries, troubles: troubles.all() }
}

/** What a user set to nothing stands as `null`: JSON has no `undefined`. */
function withNone(noted: FileEntry['noted']): object {
  const none = (['score', 'startDate', 'finishDate'] as const).filter((key) => key in noted && noted[key] === undefined)
  return { ...noted, ...Object.fromEntries(none.map((key) => [key, null])) }
}

function withoutNull<Shape extends object>(shape: Shape): { [Key in keyof Shape]: Exclude<Shape[Key], null> } {
  const entries = Object.entries(shape).map(([key, value]) => [key, value === null ? undefined : value])
  return Object.fromEntries(entries)
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch (cause) {
    throw new MalProblem('file_unreadable', { says: `It is no JSON: ${String(cause).slice(0, 120)}`, cause })
  }
}
