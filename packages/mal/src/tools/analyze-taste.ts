import { z } from 'zod'
import { exportTaste, type Letters } from '../insight/taste.ts'
import { entriesOf } from '../list/count.ts'
import { tool } from './tool.ts'
import { kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

const letters = z.record(z.string(), z.string())

export const analyzeTaste = tool({
  name: 'analyze_taste',
  toolset: 'core',
  title: 'Export for taste analysis',
  description:
    "The user's whole list in short rows, grouped by status and score, best first: raw material to judge taste from or " +
    'to recommend with. Nothing is computed, no entry left out. For figures take get_user_stats.',
  effect: 'reads',
  input: z.object({
    kind: kindInput,
    fields: z.enum(['compact', 'all']).default('compact').describe('all: also means, tags, dates, repeats'),
  }),
  output: z.object({
    ...wholeShape,
    columns: z.string(),
    letters: z.object({ types: letters, genres: letters }),
    groups: z.array(z.object({ status: z.string(), count: z.int(), rows: z.array(z.string()) })),
  }),
  async run({ mal }, { kind, fields }) {
    const list = await mal.wholeList(kind)
    const { columns, letters, groups } = exportTaste(list, fields)
    return {
      data: { ...showWhole(list), columns, letters, groups },
      lines: wholeLines(list, [
        `${entriesOf(list.entries.length)}. Rows: ${columns}`,
        ...legend('Types', letters.types),
        ...legend('Genres', letters.genres),
        ...groups.flatMap(({ status, count, rows }) => [`## ${status} (${count})`, ...rows]),
      ]),
    }
  },
})

function legend(title: string, letters: Letters): string[] {
  const pairs = Object.entries(letters).map(([letter, name]) => `${letter} ${name}`)
  return pairs.length === 0 ? [] : [`${title}: ${pairs.join(', ')}`]
}
