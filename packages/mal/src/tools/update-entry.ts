import { z } from 'zod'
import { MalProblem } from '../api/problem.ts'
import type { Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Change } from '../session.ts'
import { changeOf } from '../writing/show.ts'
import { writeOne } from '../writing/single.ts'
import { changeInput, readAnimeChange, readMangaChange } from './change.ts'
import { resolve } from './resolve.ts'
import { workRef } from './schema.ts'
import { tool, type Told, type ToolCall } from './tool.ts'
import { tryWriting } from './writing.ts'

const output = z.object({
  id: z.int(),
  title: z.string(),
  change: z.string(),
  operation_id: z.string().optional(),
  hints: z.array(z.string()),
})

export const updateAnime = tool({
  ...rowOf('anime'),
  input: z.object({ id: workRef, ...changeInput.anime }),
  run: (call, { id, ...given }) => update(call, 'anime', id, readAnimeChange(given)),
})

export const updateManga = tool({
  ...rowOf('manga'),
  input: z.object({ id: workRef, ...changeInput.manga }),
  run: (call, { id, ...given }) => update(call, 'manga', id, readMangaChange(given)),
})

function rowOf(kind: Kind) {
  return {
    name: `update_${kind}`,
    toolset: 'core' as const,
    title: `Update or add ${kind === 'anime' ? 'an anime' : 'a manga'}`,
    description:
      `Changes one entry of the user's ${kind} list, or adds it. Only what is named changes, nothing goes with it by ` +
      'itself. For many entries: plan_bulk_update.',
    effect: 'overwrites' as const,
    idempotent: true,
    output,
  }
}

async function update(
  call: ToolCall,
  kind: Kind,
  named: string | number,
  change: Change,
): Promise<Told<z.input<typeof output>>> {
  if (Object.keys(change).length === 0) throw new MalProblem('nothing_to_change')
  const own = await call.mal.entry(kind, await resolve(call, kind, named))
  const { id, title } = own.work
  const written = await writeOne(call, () => tryWriting(call), { own, change })
  const said = written ? changeOf(written.item) : 'already so, nothing was sent'
  const { operationId, hints = [] } = written ?? {}
  const undo =
    written &&
    (operationId === undefined ? 'It cannot be undone: nothing is kept here.' : `Undo: mal_undo ${operationId}`)
  return {
    data: { id, title, change: said, operation_id: operationId, hints },
    lines: [
      `${oneLine(title)} (${kind} ${id}): ${said}`,
      ...hints.map((hint) => `hint: ${oneLine(hint)}`),
      ...(undo ? [undo] : []),
    ],
  }
}
