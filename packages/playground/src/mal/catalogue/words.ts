import type { Chance } from './chance.ts'

/** Invented names only: no title, person, studio or magazine of this catalogue exists. */
const places = [
  ['Velmori', 'ヴェルモリ'],
  ['Quenjaro', 'クエンジャロ'],
  ['Ostrily', 'オストリリ'],
  ['Brumavel', 'ブルマヴェル'],
  ['Tirsova', 'ティルソヴァ'],
  ['Yosumeku', 'ヨスメク'],
  ['Halquist', 'ハルクイスト'],
  ['Nembrova', 'ネンブロヴァ'],
  ['Karudelle', 'カルデレ'],
  ['Zephmoor', 'ゼフムール'],
  ['Ilvantora', 'イルヴァントラ'],
  ['Morgwyth', 'モルグウィス'],
  ['Sabrelune', 'サブレルネ'],
  ['Pindrazo', 'ピンドラゾ'],
  ['Uskelmar', 'ウスケルマル'],
  ['Fennoway', 'フェノウェイ'],
] as const

const things = [
  ['Teapot', '急須'],
  ['Lighthouse', '灯台'],
  ['Umbrella', '傘'],
  ['Signalman', '信号手'],
  ['Ferry', '渡し船'],
  ['Orchard', '果樹園'],
  ['Cartographer', '地図師'],
  ['Bakery', 'パン屋'],
  ['Observatory', '天文台'],
  ['Beekeeper', '養蜂家'],
  ['Night Train', '夜汽車'],
  ['Glassblower', '硝子職人'],
  ['Weathervane', '風見鶏'],
  ['Tollgate', '関所'],
] as const

const moods = ['Patient', 'Unfinished', 'Seventh', 'Borrowed', 'Whispering', 'Upside-Down', 'Copper', 'Late'] as const
const given = ['Mirelo', 'Tavi', 'Oskune', 'Jorri', 'Ansel', 'Fumeka', 'Ilsabe', 'Renzu', 'Quilla', 'Dorva'] as const
const family = [
  'Harnewick',
  'Toblasaki',
  'Venmoro',
  'Isquith',
  'Kuramelle',
  'Ostrander',
  'Pelmozu',
  'Yarrowby',
] as const
const houses = [
  'Paper Comet',
  'Studio Velm',
  'Tin Kettle Works',
  'Nine Umbrellas',
  'Moth & Lantern',
  'Okra Pictures',
] as const
const magazines = ['Monthly Teacup', 'Weekly Tollgate', 'Comic Brume', 'Lantern Quarterly'] as const

export const genres = [
  'Action',
  'Adventure',
  'Comedy',
  'Drama',
  'Fantasy',
  'Mystery',
  'Romance',
  'Sci-Fi',
  'Slice of Life',
  'Sports',
  'Supernatural',
  'Suspense',
].map((name, index) => ({ id: 501 + index, name }))

export interface Named {
  readonly title: string
  readonly en: string
  readonly ja: string
}

/** A title in three forms. The number keeps it apart from all others; without it two would soon be the same. */
export function makeTitle(chance: Chance, number: number): Named {
  const [place, placeJa] = chance.pick(places)
  const [thing, thingJa] = chance.pick(things)
  const mood = chance.pick(moods)
  const title = chance.pick([
    `${place} no ${thing}`,
    `${mood} ${thing}`,
    `${thing} of ${place}`,
    `The ${mood} ${thing} of ${place}`,
  ])
  return {
    title: `${title} ${number}`,
    en: `The ${mood} ${thing} of ${place} ${number}`,
    ja: `${placeJa}の${thingJa}${number}`,
  }
}

export function makePerson(chance: Chance): { id: number; first_name: string; last_name: string } {
  const first = chance.int(given.length)
  const last = chance.int(family.length)
  return { id: 7_000 + first * family.length + last, first_name: given[first] ?? '', last_name: family[last] ?? '' }
}

export function makeStudio(chance: Chance): { id: number; name: string } {
  const index = chance.int(houses.length)
  return { id: 801 + index, name: houses[index] ?? '' }
}

export function makeMagazine(chance: Chance): { id: number; name: string } {
  const index = chance.int(magazines.length)
  return { id: 901 + index, name: magazines[index] ?? '' }
}

export function makeSynopsis(chance: Chance): string {
  const [place] = chance.pick(places)
  const [thing] = chance.pick(things)
  const person = makePerson(chance)
  const first = `${person.first_name} ${person.last_name} comes to ${place} to mend one ${thing.toLowerCase()}.`
  const more = ` What was meant for an afternoon takes "${chance.pick(moods).toLowerCase()}" turns: ${place} keeps its own time.`
  return `${first}${more.repeat(1 + chance.int(6))}\n\n(Written for the playground)`
}
