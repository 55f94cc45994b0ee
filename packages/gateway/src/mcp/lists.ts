import { problem } from '../base/problem.ts'
import { kinds, type KindName } from '../registry/kinds.ts'
import type { Asker, Item, Registry, Standing } from '../registry/registry.ts'
import type { Shelf } from '../registry/shelf.ts'
import type { ClientEra } from './eras/client-era.ts'
import { narrow, requireToolsets, type Narrowing } from './narrowing.ts'
import { statusTool } from './status.ts'

export interface ListNeeds {
  readonly registry: Pick<Registry, 'list'>
  readonly settings: { readonly perPage: number }
}

/** Who asks for a list, and how the answer is written for them. */
export interface Lister extends Asker {
  readonly era: Pick<ClientEra, 'name' | 'listPage'>
  readonly narrowing?: Narrowing | undefined
}

/** How long a client may keep a list that nothing is behind. */
const TTL_MS = 30_000

/**
 * Answers a request for a list from what the registry knows, in the order of the configuration. The merged endpoint
 * begins its tools with the one that says what is missing; the endpoint of one server passes on what the server said
 * beside its list.
 *
 * @returns the JSON text of the result.
 * @throws {Problem} `request.params` where the cursor is none of ours; on `/mcp/<server>`, where its one
 * upstream has never been listed, the reason why.
 */
export async function listPage(
  { registry, settings }: ListNeeds,
  asker: Lister,
  kind: KindName,
  cursor: string | undefined,
): Promise<Buffer> {
  const listed = await registry.list(asker, kind)
  const isMerged = asker.server === undefined
  if (!isMerged) mustBeKnown(listed)
  if (kind === 'tools') requireToolsets(listed, asker)
  const standings = kind === 'tools' ? narrow(listed, asker) : listed
  const from = cursor === undefined ? START : placeAfter(standings, cursor)
  const { texts, last } = take(standings, from, settings.perPage, isMerged ? 'exposed' : 'own')
  if (isMerged && kind === 'tools' && cursor === undefined) texts.unshift(statusTool.json)
  return asker.era.listPage(kinds[kind].member, join(texts), {
    nextCursor: last && encodeCursor(last),
    // What is missing may be there a moment later: a token is set, a server is back.
    ttlMs: standings.length === 0 ? TTL_MS : Math.min(...standings.map(({ ttlMs }) => ttlMs)),
    // What is merged depends on what this user may see, and so does whether there is anything at all.
    cacheScope: !isMerged && standings[0]?.isPublic === true ? 'public' : 'private',
    rest: isMerged ? '' : standings.map(({ shelf }) => shelf?.rest ?? '').join(''),
  })
}

function mustBeKnown([standing]: readonly Standing[]): void {
  if (standing?.failure && standing.items.length === 0) throw standing.failure
}

/** The next item to be listed. */
interface Place {
  readonly standing: number
  readonly item: number
}

const START: Place = { standing: 0, item: 0 }

interface Taken {
  /** Descriptions, one or several with a comma between. */
  readonly texts: Buffer[]
  /** The last item of the page, where there are more after it. */
  readonly last: Item | undefined
}

/** How descriptions read: as their server has them, or with the names of the merged endpoint. */
type Side = 'own' | 'exposed'

/** Takes a page off the shelves. */
function take(standings: readonly Standing[], from: Place, most: number, side: Side): Taken {
  const texts: Buffer[] = []
  let last: Item | undefined
  let room = most
  for (let index = from.standing; index < standings.length; index++) {
    const standing = standings[index]
    const start = index === from.standing ? from.item : 0
    if (!standing || standing.items.length <= start) continue
    if (room === 0) return { texts, last }
    const { items } = standing
    const end = Math.min(items.length, start + room)
    texts.push(...piecesOf(standing, start, end, side))
    last = items[end - 1]
    room -= end - start
    if (end < items.length) return { texts, last }
  }
  return { texts, last: undefined }
}

/** What lies on a shelf lies side by side, so that one piece of it is enough, unless some of it is left out. */
function piecesOf({ items, shelf }: Standing, start: number, end: number, side: Side): readonly Buffer[] {
  if (items === shelf?.items) return [stretch(shelf, start, end, side)]
  return items.slice(start, end).map((item) => textOf(item, side))
}

function textOf({ json, exposedJson }: Item, side: Side): Buffer {
  return side === 'own' ? json : exposedJson
}

function stretch({ items, own, exposed }: Shelf, start: number, end: number, side: Side): Buffer {
  const all = side === 'own' ? own : exposed
  if (start === 0 && end === items.length) return all
  const [first, last] = [items[start], items[end - 1]].map((item) => item && textOf(item, side))
  if (!first || !last) throw new RangeError('a page is not of its shelf')
  return all.subarray(first.byteOffset - all.byteOffset, last.byteOffset - all.byteOffset + last.length)
}

function join(texts: readonly Buffer[]): Buffer {
  const [only] = texts
  if (only && texts.length === 1) return only
  return Buffer.concat(texts.flatMap((text, index) => (index === 0 ? [text] : [COMMA, text])))
}

const COMMA = Buffer.from(',')

/** A cursor names the last item that was seen, so that it means the same on any replica. */
function encodeCursor({ upstream, name }: Item): string {
  return Buffer.from(`${upstream} ${name}`).toString('base64url')
}

function placeAfter(standings: readonly Standing[], cursor: string): Place {
  const [upstream, ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const name = rest.join(' ')
  for (const [standing, { items }] of standings.entries()) {
    const item = items[0]?.upstream === upstream ? items.findIndex((one) => one.name === name) : -1
    if (item >= 0) return { standing, item: item + 1 }
  }
  throw problem('request.params', { reason: 'the cursor is not known any more; list from the start' })
}
