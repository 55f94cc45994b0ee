import { findTopic, postsOf, topics, boards } from '../catalogue/forum.ts'
import { json } from '../server/exchange.ts'
import type { Endpoint } from './call.ts'
import { page, readWindow } from './envelope.ts'
import { badRequest, notFound } from './errors.ts'
import { readKey, readNumber } from './params.ts'

const anyId = { least: 1, most: 1_000_000_000 }

/** The forum, to read. */
export function forumEndpoints(): Endpoint[] {
  return [
    { method: 'GET', path: '/forum/boards', auth: 'any', handle: () => json({ categories: boards }) },
    {
      method: 'GET',
      path: '/forum/topics',
      auth: 'any',
      handle({ exchange }) {
        const params = exchange.url.searchParams
        const board = readNumber(params, 'board_id', anyId)
        const subboard = readNumber(params, 'subboard_id', anyId)
        readKey(params, 'sort', { recent: true })
        const [query, starter, writer] = ['q', 'topic_user_name', 'user_name'].map((name) => params.get(name))
        if (board === undefined && subboard === undefined && !query && !starter && !writer) {
          throw badRequest('invalid q')
        }
        const items = topics().filter(
          (topic) =>
            (board === undefined || topic.boardId === board) &&
            (subboard === undefined || topic.subboardId === subboard) &&
            (!query || topic.shown.title.toLowerCase().includes(query.toLowerCase())) &&
            (!starter || topic.shown.created_by.name === starter) &&
            (!writer || topic.shown.last_post_created_by.name === writer || topic.shown.created_by.name === writer),
        )
        return page(exchange, readWindow(exchange, 100), { items, show: ({ shown }) => shown })
      },
    },
    {
      method: 'GET',
      path: '/forum/topic/:id',
      auth: 'any',
      handle({ exchange }) {
        const topic = findTopic(Number(exchange.params['id']))
        if (!topic) throw notFound()
        const { title } = topic.shown
        return page(exchange, readWindow(exchange, 100), {
          items: postsOf(topic),
          show: (post) => post,
          wrap: (posts) => ({ title, posts, ...(topic.poll && { poll: topic.poll }) }),
        })
      },
    },
  ]
}
