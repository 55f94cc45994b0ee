import { statuses, type Kind } from '../../list/entry.ts'

/** What MyAnimeList's files call things. The API has words of its own. */

const statusWords: Readonly<Record<string, string>> = {
  watching: 'Watching',
  reading: 'Reading',
  completed: 'Completed',
  on_hold: 'On-Hold',
  dropped: 'Dropped',
  plan_to_watch: 'Plan to Watch',
  plan_to_read: 'Plan to Read',
}

/** The numbers of old files. There is no 5. */
const statusNumbers: Readonly<Record<string, number>> = { 1: 0, 2: 1, 3: 2, 4: 3, 6: 4 }

/** Places of `statuses`, by the words of either kind: programs mix them up. */
const statusPlaces = new Map<string, number>([
  ...Object.values(statuses).flatMap((words) => words.map((word, place) => [bare(word), place] as const)),
  ...Object.entries(statusNumbers),
])

export function statusWord(status: string): string {
  return statusWords[status] ?? status
}

export function readStatus(kind: Kind, text: string): string | undefined {
  const place = statusPlaces.get(bare(text))
  return place === undefined ? undefined : statuses[kind][place]
}

const mediaTypes: Readonly<Record<string, string>> = {
  tv: 'TV',
  ova: 'OVA',
  ona: 'ONA',
  cm: 'CM',
  pv: 'PV',
  oel: 'OEL',
}

/** `tv_special` → `TV Special`. */
export function mediaTypeWord(mediaType: string | undefined): string {
  const words = (mediaType ?? 'unknown').split('_')
  return words.map((word) => mediaTypes[word] ?? word.slice(0, 1).toUpperCase() + word.slice(1)).join(' ')
}

/** `TV Special` → `tv_special`. */
export function readMediaType(text: string): string | undefined {
  const word = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '_')
  return word === '' || word === 'unknown' ? undefined : word
}

/** Words for 0, 1, 2, …; the numbers themselves are taken too. */
export const repeatValues = ['', 'Very Low', 'Low', 'Medium', 'High', 'Very High'] as const
export const priorities = ['Low', 'Medium', 'High'] as const

export function readScale(words: readonly string[], text: string): number | undefined {
  const word = bare(text)
  const place = words.findIndex((one) => bare(one) === word)
  if (place >= 0) return place
  return /^\d$/.test(word) && Number(word) < words.length ? Number(word) : undefined
}

/** Without what differs between programs: case, spaces, hyphens. */
function bare(text: string): string {
  return text.toLowerCase().replaceAll(/[\s_-]+/g, '')
}
