import { statuses, type Kind, type ListEntry } from '../list/entry.ts'

/** How a field is read from an entry, and which comparisons it takes. What is not known reads as nothing. */
export type Field = {
  readonly name: string
  readonly aliases?: readonly string[]
  /** Absent: both kinds have it. */
  readonly only?: Kind
  readonly about: string
} & (
  | { readonly type: 'number'; read(entry: ListEntry): number | undefined }
  | { readonly type: 'date'; read(entry: ListEntry): string | undefined }
  | { readonly type: 'text'; read(entry: ListEntry): readonly string[] }
  | { readonly type: 'words'; read(entry: ListEntry): readonly string[]; readonly known?: Known }
  | { readonly type: 'flag'; read(entry: ListEntry): boolean }
)

/** The only words a field has, and what else they may be called. */
type Known = Readonly<Record<Kind, Readonly<Record<string, readonly string[]>>>>

/** Everything that can be asked of an entry: one row for each field, in the order of the reference page. */
export const fields: readonly Field[] = [
  {
    name: 'title',
    type: 'text',
    about: 'any of its titles: main, English, Japanese, synonyms',
    read: ({ work }) => [work.title, work.englishTitle ?? '', work.japaneseTitle ?? '', ...work.synonyms],
  },
  { name: 'id', type: 'number', about: 'MyAnimeList id', read: ({ work }) => work.id },
  {
    name: 'status',
    type: 'words',
    about: 'the state of the entry on the list',
    known: { anime: statusWords('anime'), manga: statusWords('manga') },
    read: ({ noted }) => [noted.status],
  },
  { name: 'score', type: 'number', about: 'own score, 1 to 10', read: ({ noted }) => noted.score },
  { name: 'mean', type: 'number', about: "the community's mean score", read: ({ work }) => work.mean },
  {
    name: 'diff',
    type: 'number',
    about: "own score minus the community's mean",
    read: ({ work, noted }) =>
      noted.score === undefined || work.mean === undefined ? undefined : noted.score - work.mean,
  },
  {
    name: 'progress',
    aliases: ['watched', 'read'],
    type: 'number',
    about: 'episodes watched, chapters read',
    read: ({ noted }) => noted.progress,
  },
  {
    name: 'episodes',
    aliases: ['length'],
    only: 'anime',
    type: 'number',
    about: 'episodes it has',
    read: ({ work }) => work.units,
  },
  {
    name: 'chapters',
    aliases: ['length'],
    only: 'manga',
    type: 'number',
    about: 'chapters it has',
    read: ({ work }) => work.units,
  },
  { name: 'volumes', only: 'manga', type: 'number', about: 'volumes it has', read: ({ work }) => work.volumes },
  {
    name: 'left',
    type: 'number',
    about: 'episodes or chapters still to go',
    read: ({ work, noted }) => (work.units === undefined ? undefined : Math.max(0, work.units - noted.progress)),
  },
  {
    name: 'minutes',
    only: 'anime',
    type: 'number',
    about: 'minutes of one episode',
    read: ({ work }) => (work.episodeSeconds === undefined ? undefined : work.episodeSeconds / 60),
  },
  {
    name: 'type',
    type: 'words',
    about: 'tv, movie, ova, …; manga, light_novel, …',
    read: ({ work }) => one(work.mediaType),
  },
  {
    name: 'state',
    aliases: ['airing', 'publishing'],
    type: 'words',
    about: 'finished_airing, currently_airing, not_yet_aired; finished, currently_publishing, …',
    read: ({ work }) => one(work.state),
  },
  { name: 'genre', aliases: ['genres'], type: 'words', about: 'one of its genres', read: ({ work }) => work.genres },
  {
    name: 'studio',
    aliases: ['studios'],
    only: 'anime',
    type: 'words',
    about: 'one of its studios',
    read: ({ work }) => work.studios,
  },
  {
    name: 'author',
    aliases: ['authors'],
    only: 'manga',
    type: 'words',
    about: 'one of its authors',
    read: ({ work }) => work.authors,
  },
  { name: 'tag', aliases: ['tags'], type: 'words', about: 'one of your own tags', read: ({ noted }) => noted.tags },
  { name: 'source', type: 'words', about: 'original, manga, light_novel, …', read: ({ work }) => one(work.source) },
  { name: 'rating', type: 'words', about: 'g, pg, pg_13, r, r+, rx', read: ({ work }) => one(work.rating) },
  { name: 'nsfw', type: 'words', about: 'white, gray, black', read: ({ work }) => one(work.nsfw) },
  { name: 'year', type: 'number', about: 'the year it started in', read: ({ work }) => work.year },
  { name: 'season', type: 'words', about: 'winter, spring, summer, fall', read: ({ work }) => one(work.season) },
  { name: 'aired', aliases: ['published'], type: 'date', about: 'when it started', read: ({ work }) => work.startDate },
  { name: 'ended', type: 'date', about: 'when it ended', read: ({ work }) => work.endDate },
  { name: 'started', type: 'date', about: 'when you started it', read: ({ noted }) => noted.startDate },
  { name: 'finished', type: 'date', about: 'when you finished it', read: ({ noted }) => noted.finishDate },
  { name: 'updated', type: 'date', about: 'when the entry last changed', read: ({ noted }) => noted.updatedAt },
  { name: 'priority', type: 'number', about: '0 low, 1 medium, 2 high', read: ({ noted }) => noted.priority },
  {
    name: 'repeating',
    aliases: ['rewatching', 'rereading'],
    type: 'flag',
    about: 'whether you are at it once more',
    read: ({ noted }) => noted.isRepeating,
  },
  {
    name: 'repeats',
    aliases: ['rewatched', 'reread'],
    type: 'number',
    about: 'how often you repeated it',
    read: ({ noted }) => noted.timesRepeated,
  },
  {
    name: 'repeat_value',
    type: 'number',
    about: 'how much it is worth repeating, 0 to 5',
    read: ({ noted }) => noted.repeatValue,
  },
  { name: 'rank', type: 'number', about: 'place by mean score', read: ({ work }) => work.rank },
  { name: 'popularity', type: 'number', about: 'place by members', read: ({ work }) => work.popularity },
  {
    name: 'members',
    aliases: ['users'],
    type: 'number',
    about: 'users who have it on their list',
    read: ({ work }) => work.listUsers,
  },
]

/** The names a field answers to, for one kind of list. */
export function fieldsOf(kind: Kind): ReadonlyMap<string, Field> {
  return byName[kind]
}

const byName = { anime: index('anime'), manga: index('manga') } as const

function index(kind: Kind): ReadonlyMap<string, Field> {
  const mine = fields.filter(({ only }) => only === undefined || only === kind)
  return new Map(mine.flatMap((field) => [field.name, ...(field.aliases ?? [])].map((name) => [name, field] as const)))
}

/** Each list's own words; those of the other kind, and shorter ones, mean the same. */
function statusWords(kind: Kind): Record<string, readonly string[]> {
  const [now, completed, onHold, dropped, later] = statuses[kind]
  return {
    [now]: ['watching', 'reading', 'current'],
    [completed]: ['done'],
    [onHold]: ['hold', 'paused'],
    [dropped]: [],
    [later]: ['plan_to_watch', 'plan_to_read', 'planned', 'planning', 'plan', 'ptw', 'ptr'],
  }
}

function one(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}
