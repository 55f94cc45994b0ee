import type { BoardCategory, Poll, Post, Topic, User } from '../session.ts'
import { asList, asNumber, asObject, asText } from '#kit/read'

/** `undefined` where it is not the description of a user. */
export function readUser(value: Record<string, unknown>): User | undefined {
  const id = asNumber(value['id'])
  const name = asText(value['name'])
  if (id === undefined || name === undefined) return undefined
  const statistics = Object.entries(asObject(value['anime_statistics']) ?? {}).flatMap(([key, count]) => {
    const number = asNumber(count)
    return number === undefined ? [] : [[key, number] as const]
  })
  return {
    id,
    name,
    picture: asText(value['picture']),
    gender: asText(value['gender']),
    birthday: asText(value['birthday']),
    location: asText(value['location']),
    joinedAt: asText(value['joined_at']),
    timeZone: asText(value['time_zone']),
    isSupporter: typeof value['is_supporter'] === 'boolean' ? value['is_supporter'] : undefined,
    animeStatistics: Object.fromEntries(statistics),
  }
}

/** The boards stand below `categories`, not below `data` as everything else does. */
export function readBoards(answer: Record<string, unknown>): BoardCategory[] {
  return asList(answer['categories']).map((item) => {
    const category = asObject(item)
    return {
      title: asText(category?.['title']) ?? '',
      boards: named(category?.['boards']).map(({ id, title, of }) => ({
        id,
        title,
        description: asText(of['description']) ?? '',
        subboards: named(of['subboards']).map((sub) => ({ id: sub.id, title: sub.title })),
      })),
    }
  })
}

export function readTopics(page: Record<string, unknown>): Topic[] {
  return named(page['data']).map(({ id, title, of }) => ({
    id,
    title,
    createdAt: asText(of['created_at']),
    createdBy: nameOf(of['created_by']),
    posts: asNumber(of['number_of_posts']) ?? 0,
    lastPostAt: asText(of['last_post_created_at']),
    lastPostBy: nameOf(of['last_post_created_by']),
    isLocked: of['is_locked'] === true,
  }))
}

/** One page of a topic; here `data` is an object. */
export function readTopic(page: Record<string, unknown>): { title: string; posts: Post[]; poll: Poll | undefined } {
  const data = asObject(page['data'])
  return {
    title: asText(data?.['title']) ?? '',
    posts: asList(data?.['posts']).flatMap(readPost),
    poll: readPoll(data?.['poll']),
  }
}

function readPost(value: unknown): Post[] {
  const post = asObject(value)
  const id = asNumber(post?.['id'])
  if (post === undefined || id === undefined) return []
  return [
    {
      id,
      number: asNumber(post['number']) ?? 0,
      createdAt: asText(post['created_at']),
      createdBy: nameOf(post['created_by']),
      body: asText(post['body']) ?? '',
    },
  ]
}

function readPoll(value: unknown): Poll | undefined {
  const poll = asObject(value)
  if (poll === undefined) return undefined
  return {
    question: asText(poll['question']) ?? '',
    closed: poll['closed'] === true,
    options: asList(poll['options']).map((item) => {
      const option = asObject(item)
      return { text: asText(option?.['text']) ?? '', votes: asNumber(option?.['votes']) ?? 0 }
    }),
  }
}

/** The members that have an id, with their titles. */
function named(value: unknown): { id: number; title: string; of: Record<string, unknown> }[] {
  return asList(value).flatMap((item) => {
    const of = asObject(item)
    const id = asNumber(of?.['id'])
    return of === undefined || id === undefined ? [] : [{ id, title: asText(of['title']) ?? '', of }]
  })
}

function nameOf(value: unknown): string | undefined {
  return asText(asObject(value)?.['name'])
}
