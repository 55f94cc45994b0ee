import { z } from 'zod'
import { computeSchedule, isTimeZone, type Schedule } from '../insight/schedule.ts'
import { oneLine } from '../list/one-line.ts'
import { tool, type ToolCall } from './tool.ts'
import { showWhole, wholeLines, wholeShape } from './whole.ts'

const slot = z.object({
  id: z.int(),
  title: z.string(),
  time: z.string().optional().describe('Absent: hour not known, day as in Japan'),
  status: z.string(),
  episode: z.int().optional().describe('Estimated: one a week since it began'),
  watched: z.int(),
})

export const getSchedule = tool({
  name: 'get_schedule',
  toolset: 'insight',
  title: 'Schedule of the week',
  description:
    'When the anime on the list are on in Japan in the next seven days, in the days and hours of the user. The time zone ' +
    "is the one of the user's profile unless one is named. Episode numbers are estimates.",
  effect: 'reads',
  input: z.object({
    time_zone: z.string().refine(isTimeZone, 'no such time zone').optional().describe('IANA name, as Europe/Berlin'),
    statuses: z
      .array(z.enum(['watching', 'on_hold', 'plan_to_watch']))
      .min(1)
      .default(['watching', 'plan_to_watch']),
  }),
  output: z.object({
    ...wholeShape,
    time_zone: z.string(),
    days: z.array(z.object({ date: z.string(), weekday: z.string(), showings: z.array(slot) })),
    unscheduled: z.array(z.object({ id: z.int(), title: z.string() })),
  }),
  async run(call, { time_zone: named, statuses }) {
    const timeZone = named ?? (await profileTimeZone(call))
    const list = await call.mal.wholeList('anime')
    const entries = list.entries.filter(({ noted }) => statuses.some((status) => status === noted.status))
    const schedule = computeSchedule(entries, timeZone, call.now())
    return { data: { ...showWhole(list), ...schedule }, lines: wholeLines(list, linesOf(schedule)) }
  },
})

/** Where the user says they live; UTC where their profile names no zone, or one that nobody else knows. */
export async function profileTimeZone({ mal }: ToolCall): Promise<string> {
  const { timeZone } = await mal.me()
  return timeZone !== undefined && isTimeZone(timeZone) ? timeZone : 'UTC'
}

function linesOf({ time_zone: zone, days, unscheduled }: Schedule): string[] {
  const shown = days.flatMap(({ date, weekday, showings }) => [
    `## ${weekday} ${date}${showings.length === 0 ? ': nothing' : ''}`,
    ...showings.map(
      ({ id, title, time = '??:??', episode, watched, status }) =>
        `${time} ${oneLine(title)} (id ${id}, episode ${episode === undefined ? '?' : `about ${episode}`}, ${status}, ${watched} watched)`,
    ),
  ])
  const without = unscheduled.map(({ id, title }) => `${oneLine(title)} (id ${id})`)
  return [
    `Times are of ${zone}; episode numbers are estimated from the first showing, one a week.`,
    ...shown,
    ...(without.length > 0 ? [`Running without a weekday: ${without.join('; ')}`] : []),
  ]
}
