import { MalProblem } from '../api/problem.ts'
import { fileEntryOf } from '../formats/file.ts'
import { writeMarkdown } from '../formats/markdown.ts'
import type { Kind } from '../list/entry.ts'
import type { MalSession } from '../session.ts'
import { warningOf } from '../tools/show.ts'
import type { Resource } from './resource.ts'

/** More than anybody wants to read at once, and what a client can still hold. */
const MOST = 2000

/** Everything that can be read by address. */
export const resources: readonly Resource[] = [
  work('anime'),
  work('manga'),
  list('anime'),
  list('manga'),
  {
    name: 'profile',
    uri: 'mal://profile',
    title: 'My profile',
    description: 'Who is signed in, since when, and what MyAnimeList counts of their anime.',
    mimeType: 'application/json',
    read: async (mal) => JSON.stringify(await mal.me()),
  },
]

function work(kind: Kind): Resource {
  return {
    name: kind,
    uri: `mal://${kind}/{id}`,
    title: `One ${kind}`,
    description: `Everything MyAnimeList tells of one ${kind}, with the user's own entry.`,
    mimeType: 'application/json',
    async read(mal, id) {
      if (!/^[1-9]\d{0,8}$/.test(id)) throw new MalProblem('not_found')
      const { raw: _, ...detail } = await mal.detail(kind, Number(id))
      return JSON.stringify(detail)
    },
    complete: (mal, typed) => completeId(mal, kind, typed),
  }
}

function list(kind: Kind): Resource {
  return {
    name: `${kind}-list`,
    uri: `mal://list/${kind}`,
    title: `My ${kind} list`,
    description: `The user's own ${kind} list as tables by status, its first ${MOST} entries.`,
    mimeType: 'text/markdown',
    async read(mal) {
      const [whole, owner] = await Promise.all([mal.wholeList(kind), mal.me()])
      const entries = whole.entries.slice(0, MOST).map(fileEntryOf)
      const warning = warningOf({
        ...whole,
        entries: whole.entries.slice(0, MOST),
        truncated: whole.truncated || whole.entries.length > MOST,
      })
      const pieces = writeMarkdown({ kind, owner, entries, troubles: [] })
      return `${warning === undefined ? '' : `${warning}\n\n`}${[...pieces].join('')}`
    },
  }
}

/** As many as a completion may hold. */
const CHOICES = 100

async function completeId(mal: MalSession, kind: Kind, typed: string): Promise<readonly string[]> {
  const wanted = typed.trim().toLowerCase()
  const { entries } = await mal.wholeList(kind)
  const fits = entries.filter(
    ({ work: { id, title, englishTitle } }) =>
      String(id).startsWith(wanted) || `${title}\n${englishTitle ?? ''}`.toLowerCase().includes(wanted),
  )
  return fits.slice(0, CHOICES).map(({ work: { id } }) => String(id))
}
