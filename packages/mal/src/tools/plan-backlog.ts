import { z } from 'zod'
import { orders, planBacklog as plan } from '../insight/backlog.ts'
import { timeNote } from '../insight/time.ts'
import { oneLine } from '../list/one-line.ts'
import { matches, parseQuery } from '../query/query.ts'
import { tool } from './tool.ts'
import { figure, kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

const WEEK = 7 * 86_400_000

export const planBacklog = tool({
  name: 'plan_backlog',
  toolset: 'insight',
  title: 'Plan the backlog',
  description:
    'Chooses from what is planned or on hold what fits into the time there is, in weeks or until a date: whatever comes ' +
    'next in the order asked for and still fits whole is taken. A query as of search_my_list narrows the choice.',
  effect: 'reads',
  input: z.object({
    kind: kindInput,
    hours_per_week: z.number().positive().max(168),
    weeks: z.number().positive().max(520).default(4),
    until: z.iso.date().optional().describe('Instead of weeks'),
    order: z.enum(['mean', 'priority', 'shortest', 'oldest']).default('mean'),
    query: z.string().default(''),
  }),
  output: z.object({
    ...wholeShape,
    explained: z.string(),
    hours: z.number(),
    hours_planned: z.number(),
    candidates: z.int(),
    left_out: z.int(),
    not_out: z.int(),
    unknown_length: z.int(),
    items: z.array(
      z.object({
        id: z.int(),
        title: z.string(),
        status: z.string(),
        left: z.int().optional(),
        hours: z.number(),
        community_mean: figure,
        priority: z.int(),
        from_week: z.int(),
        to_week: z.int(),
      }),
    ),
  }),
  async run({ mal, now }, { kind, hours_per_week: hoursPerWeek, weeks, until, order, query: text }) {
    const query = parseQuery(text, { kind, now: now() })
    const span = until === undefined ? weeks : Math.max(0, (Date.parse(until) - now()) / WEEK)
    const list = await mal.wholeList(kind)
    const entries = list.entries.filter((entry) => matches(query, entry))
    const backlog = plan(entries, { hours: span * hoursPerWeek, hoursPerWeek, order })
    const explained = `First comes what ${orders[order]}; whatever still fits whole is taken. ${timeNote[kind]}`
    return {
      data: { ...showWhole(list), explained, ...backlog },
      lines: wholeLines(list, [
        `${backlog.items.length} of ${backlog.candidates} candidates in ${backlog.hours_planned} of ${backlog.hours} hours. ` +
          `Not considered: ${backlog.not_out} not out yet, ${backlog.unknown_length} of unknown length.`,
        explained,
        ...backlog.items.map(
          ({ id, title, hours, from_week: from, to_week: to }) =>
            `Week ${from === to ? from : `${from}-${to}`}: ${oneLine(title)} (id ${id}, ${hours} h)`,
        ),
      ]),
    }
  },
})
