import { z } from 'zod'
import { overviewTags } from '../insight/tags.ts'
import { countOf, entriesOf } from '../list/count.ts'
import { oneLine } from '../list/one-line.ts'
import { tool } from './tool.ts'
import { figure, kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

export const listTags = tool({
  name: 'list_tags',
  toolset: 'insight',
  title: 'Tags of my list',
  description:
    "The user's own tags with how often and how they were scored, and pairs of tags that look like two spellings of one. " +
    'It changes nothing.',
  effect: 'reads',
  input: z.object({ kind: kindInput, limit: z.int().min(1).max(1000).default(100) }),
  output: z.object({
    ...wholeShape,
    tagged: z.int(),
    untagged: z.int(),
    count: z.int().describe('All tags there are'),
    tags: z.array(z.object({ name: z.string(), count: z.int(), mean_score: figure })),
    merges: z.array(z.object({ from: z.string(), to: z.string(), entries: z.int(), why: z.string() })),
  }),
  async run({ mal }, { kind, limit }) {
    const list = await mal.wholeList(kind)
    const { tags, tagged, untagged, merges } = overviewTags(list.entries)
    const shown = tags.slice(0, limit)
    return {
      data: { ...showWhole(list), tagged, untagged, count: tags.length, tags: shown, merges: merges.slice(0, limit) },
      lines: wholeLines(list, [
        `${countOf(tags.length, 'tag', 'tags')} on ${entriesOf(tagged)}, ${entriesOf(untagged)} without`,
        ...shown.map(
          ({ name, count, mean_score: mean }) =>
            `${oneLine(name)}: ${count}${mean === undefined ? '' : `, mean ${mean}`}`,
        ),
        ...merges
          .slice(0, limit)
          .map(
            ({ from, to, entries, why }) => `Perhaps one: "${oneLine(from)}" (${entries}) and "${oneLine(to)}", ${why}`,
          ),
      ]),
    }
  },
})
