import type { Kind, ListEntry, Work } from '../list/entry.ts'

/** How the hours are come by, to be said wherever they are shown. */
export const timeNote: Readonly<Record<Kind, string>> = {
  anime:
    "Estimated: episodes watched times MyAnimeList's average length of an episode. A rewatch counts as the whole " +
    'length; the part of one under way is not known.',
  manga:
    'Estimated: 8 minutes for a chapter, 72 for a volume where no chapters were counted (novels: 25 and 240). ' +
    'MyAnimeList knows no reading times.',
}

/** Minutes to read: an assumption, since nobody measures it. */
const reading = { comic: { chapter: 8, volume: 72 }, novel: { chapter: 25, volume: 240 } } as const

/** Episodes or chapters gone through, complete repeats included. */
export function unitsOf({ work, noted }: ListEntry): number {
  return noted.progress + repeatedOf({ work, noted })
}

/** Of complete repeats. */
export function repeatedOf({ work, noted }: ListEntry): number {
  return noted.timesRepeated * (work.units ?? noted.progress)
}

/** Hours spent so far; `undefined` where something was watched whose length is not known. */
export function hoursOf(entry: ListEntry): number | undefined {
  const { work, noted } = entry
  return hoursFor(work, {
    units: unitsOf(entry),
    volumes: noted.volumes + noted.timesRepeated * (work.volumes ?? noted.volumes),
  })
}

/** Hours that are left to the end; `undefined` where the length is not known. */
export function hoursLeft({ work, noted }: ListEntry): number | undefined {
  if (work.units !== undefined) {
    return hoursFor(work, { units: Math.max(0, work.units - noted.progress), volumes: 0 })
  }
  if (work.kind === 'anime' || work.volumes === undefined) return undefined
  return hoursFor(work, { units: 0, volumes: Math.max(0, work.volumes - noted.volumes) })
}

function hoursFor(work: Work, { units, volumes }: { units: number; volumes: number }): number | undefined {
  if (work.kind === 'anime') {
    if (units === 0) return 0
    return work.episodeSeconds === undefined ? undefined : (units * work.episodeSeconds) / 3600
  }
  const { chapter, volume } = work.mediaType?.endsWith('novel') === true ? reading.novel : reading.comic
  return (units > 0 ? units * chapter : volumes * volume) / 60
}
