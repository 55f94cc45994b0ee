import { z } from 'zod'
import { kinds } from '../list/entry.ts'
import { removeOne } from '../writing/single.ts'
import { resolve } from './resolve.ts'
import { workRef } from './schema.ts'
import { lineOf, progressOf } from './show.ts'
import { tool } from './tool.ts'
import { requireConsent, tryWriting } from './writing.ts'

/** Takes one entry off the list. */
export const deleteEntry = tool({
  name: 'delete_entry',
  toolset: 'core',
  title: 'Remove an entry from a list',
  description: "Removes one work from the user's list, with score, dates, tags and comments. mal_undo brings all back.",
  effect: 'overwrites',
  idempotent: true,
  input: z.object({ kind: z.enum(kinds).default('anime'), id: workRef }),
  output: z.object({ id: z.int(), title: z.string(), removed: z.boolean(), operation_id: z.string().optional() }),
  async run(call, { kind, id: named }) {
    const own = await call.mal.entry(kind, await resolve(call, kind, named))
    const { work, noted } = own
    const { id, title } = work
    if (!noted) {
      return { data: { id, title, removed: false }, lines: [`${lineOf(work)} is not on the ${kind} list.`] }
    }
    const said = `${lineOf(work)}: ${progressOf(noted, work)}`
    await requireConsent(call, `Remove this from the ${kind} list? ${said}`)
    const { operationId } = await removeOne(call, () => tryWriting(call), own)
    const undo =
      operationId === undefined ? 'It cannot be undone: nothing is kept here.' : `Undo: mal_undo ${operationId}`
    return {
      data: { id, title, removed: true, operation_id: operationId },
      lines: [`Removed ${said}`, undo],
    }
  },
})
