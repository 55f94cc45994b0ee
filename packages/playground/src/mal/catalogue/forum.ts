import { users } from '../users.ts'
import { chanceOf } from './chance.ts'
import { makeSynopsis, makeTitle } from './words.ts'

export const boards = [
  {
    title: 'The Gate',
    boards: [
      { id: 1, title: 'Notices', description: 'What changes & why', subboards: [] },
      { id: 2, title: 'Introductions', description: 'Say hello', subboards: [] },
    ],
  },
  {
    title: 'Anime & Manga',
    boards: [
      {
        id: 3,
        title: 'Discussion',
        description: 'Of series, by episode / chapter',
        subboards: [
          { id: 1, title: 'Anime Series' },
          { id: 2, title: 'Manga Series' },
        ],
      },
    ],
  },
]

export interface Topic {
  readonly boardId: number
  readonly subboardId: number | undefined
  readonly shown: ReturnType<typeof show>
  readonly poll: ReturnType<typeof makePoll> | undefined
}

let made: readonly Topic[] | undefined

/** All topics, the latest first; the same for everybody. */
export function topics(): readonly Topic[] {
  made ??= Array.from({ length: 120 }, (_, index) => {
    const boardId = 1 + (index % 3)
    return {
      boardId,
      subboardId: boardId === 3 ? 1 + (index % 2) : undefined,
      shown: show(index),
      poll: index % 10 === 2 ? makePoll(index) : undefined,
    }
  })
  return made
}

export function findTopic(id: number): Topic | undefined {
  return topics().find(({ shown }) => shown.id === id)
}

/** The field is spelt `forum_avator`, as MyAnimeList spells it. */
export function postsOf({ shown }: Topic) {
  return Array.from({ length: shown.number_of_posts }, (_, index) => ({
    id: shown.id * 1_000 + index,
    number: index + 1,
    created_at: day(shown.id - firstId, index),
    created_by: { ...writer(shown.id + index), forum_avator: '' },
    body: makeSynopsis(chanceOf(`post/${shown.id}/${index}`)),
    signature: index % 4 === 0 ? '「関所」' : '',
  }))
}

const firstId = 60_001

function show(index: number) {
  const chance = chanceOf(`topic/${index}`)
  return {
    id: firstId + index,
    title: `${makeTitle(chance, 1 + (index % 40)).title}: what do you think?`,
    created_at: day(index, 0),
    created_by: writer(firstId + index),
    number_of_posts: 1 + chance.int(index % 7 === 0 ? 240 : 12),
    last_post_created_at: day(index, 20),
    last_post_created_by: writer(index + 3),
    is_locked: index % 11 === 0,
  }
}

function makePoll(index: number) {
  return {
    id: 4_000 + index,
    question: 'How was it?',
    closed: index % 20 === 2,
    options: ['Loved it', 'Liked it', 'It was OK', 'Not for me'].map((text, place) => ({
      id: index * 10 + place,
      text,
      votes: chanceOf(`votes/${index}/${place}`).int(500),
    })),
  }
}

function writer(turn: number): { id: number; name: string } {
  const user = users[turn % users.length]
  return { id: user?.id ?? 0, name: user?.name ?? '' }
}

function day(index: number, later: number): string {
  return new Date(Date.UTC(2026, 9, 31 - index, later)).toISOString().replace('.000Z', '+00:00')
}
