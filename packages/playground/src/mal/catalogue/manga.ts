import { pick, type Fields } from '../api/fields.ts'
import { chanceOf } from './chance.ts'
import { makeMagazine, makePerson } from './words.ts'
import type { Vocabulary, Work } from './work.ts'

/** The values of the manga half, those that MyAnimeList uses without documenting them too. */
export const mangaWords: Vocabulary = {
  kind: 'manga',
  mediaTypes: ['manga', 'novel', 'one_shot', 'doujinshi', 'manhwa', 'manhua', 'oel', 'unknown', 'light_novel'],
  statuses: {
    over: ['finished', 'finished', 'finished', 'on_hiatus', 'discontinued'],
    running: 'currently_publishing',
    ahead: 'not_yet_published',
  },
  maxLength: 240,
}

const roles = ['Story & Art', 'Story', 'Art'] as const

export function volumesOf({ length, index }: Work): number {
  return index % 13 === 12 ? 0 : Math.ceil(length / 9)
}

/** The fields that only manga have. Of an author or a magazine there is only the id unless more is asked for. */
export function mangaFields(work: Work): Fields {
  const { index, length, oddity } = work
  return {
    num_volumes: () => volumesOf(work),
    num_chapters: () => length,
    authors: (asked) => {
      if (oddity.alone === true) return []
      const chance = chanceOf(`author/${index}`)
      return [{ node: pick(makePerson(chance), asked, ['id']), role: roles[index % roles.length] }]
    },
  }
}

/** The fields that MyAnimeList gives for one manga and never in a list. */
export function mangaDetails({ index }: Work): Fields {
  return {
    serialization: (asked) => [{ node: pick(makeMagazine(chanceOf(`magazine/${index}`)), asked, ['id']), role: '' }],
  }
}
