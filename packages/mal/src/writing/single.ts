import { MalProblem } from '../api/problem.ts'
import type { Change, MalSession, OwnEntry } from '../session.ts'
import { carryOutItem, type CarryOutNeeds } from './carry-out.ts'
import type { Item } from './item.ts'
import { carryOutNow } from './operations.ts'
import { itemOf, planItems, type Draft } from './plan.ts'

/** One entry that was changed or removed; without `operationId` nothing was written down, and nothing can be undone. */
export interface Written {
  readonly item: Item
  readonly hints: readonly string[]
  readonly operationId: string | undefined
}

/**
 * Changes one entry, or puts it on the list. `undefined`: it is like that already.
 *
 * @throws {MalProblem} `bad_change`, and whatever MyAnimeList says to it
 */
export async function writeOne(
  needs: Pick<CarryOutNeeds, 'mal'>,
  openJournal: () => Promise<CarryOutNeeds | undefined>,
  { own, change }: { readonly own: OwnEntry; readonly change: Change },
): Promise<Written | undefined> {
  const { items, refused, hints } = draftFor(own, change)
  const [no] = refused
  if (no) throw new MalProblem('bad_change', { says: `${no.title}: ${no.why}.` })
  const [item] = items
  return item && { ...(await carryOutOne(needs, await openJournal(), item)), hints }
}

/** Removes one entry. */
export async function removeOne(
  needs: Pick<CarryOutNeeds, 'mal'>,
  openJournal: () => Promise<CarryOutNeeds | undefined>,
  { work, noted }: OwnEntry,
): Promise<Written> {
  return { ...(await carryOutOne(needs, await openJournal(), itemOf(work, work.title, noted, undefined))), hints: [] }
}

function draftFor({ work, noted }: OwnEntry, change: Change): Draft {
  const { kind, id, title } = work
  // A new entry is held to what is known of the work as well.
  const entries = noted ? [{ work, noted }] : []
  const list = { kind, entries, truncated: false, readAt: 0 }
  return planItems({ [kind]: list }, [{ kind, id, title, how: 'either', become: () => change }])
}

async function carryOutOne(
  { mal }: { readonly mal: MalSession },
  journal: CarryOutNeeds | undefined,
  item: Item,
): Promise<Omit<Written, 'hints'>> {
  if (!journal) {
    const items = [item]
    const unwritten = { items, write: async () => {} }
    return {
      item: requireDone(await carryOutItem({ mal, urgency: 'person' }, unwritten, 0, true)),
      operationId: undefined,
    }
  }
  const title = `${item.change ? 'Change' : 'Remove'} ${item.title} (${item.kind} ${item.id})`
  const { operation, items } = await carryOutNow({ ...journal, urgency: 'person' }, { title, onFailure: 'continue' }, [
    item,
  ])
  if (operation.state !== 'done') throw new MalProblem('unfinished', { says: operation.stoppedBy })
  return { item: requireDone(items[0] ?? item, operation.id), operationId: operation.id }
}

function requireDone(item: Item, operationId?: string): Item {
  if (item.state === 'done') return item
  const undo = item.after && operationId ? `mal_undo ${operationId} takes back what was taken of it.` : ''
  throw new MalProblem('not_done', { says: `${item.why ?? ''} ${undo}`.trim() })
}
