import { z } from 'zod'
import { writeCalendar } from '../formats/calendar.ts'
import { isTimeZone } from '../insight/schedule.ts'
import { profileTimeZone } from './get-schedule.ts'
import { warningOf } from './show.ts'
import { tool } from './tool.ts'

export const exportCalendar = tool({
  name: 'export_calendar',
  toolset: 'transfer',
  title: 'Calendar of episodes',
  description:
    'The episodes to come of what is on the anime list, as an iCalendar file (.ics) for any calendar program. For a ' +
    'look at the week take get_schedule.',
  effect: 'reads',
  input: z.object({
    statuses: z
      .array(z.enum(['watching', 'on_hold', 'plan_to_watch']))
      .min(1)
      .default(['watching']),
    weeks: z.int().min(1).max(26).default(8),
    time_zone: z
      .string()
      .refine(isTimeZone, 'no name of the IANA database, such as Europe/Berlin')
      .optional()
      .describe("IANA name; by default the profile's"),
  }),
  output: z.object({
    name: z.string(),
    events: z.int(),
    shows: z.int(),
    weeks: z.int(),
    time_zone: z.string(),
    path: z.string().optional(),
  }),
  async run(call, { statuses, weeks, time_zone: named }) {
    const { mal, now, exports, signal } = call
    const [list, user, timeZone] = await Promise.all([mal.wholeList('anime'), mal.me(), named ?? profileTimeZone(call)])
    const entries = list.entries.filter(({ noted }) => statuses.some((status) => status === noted.status))
    const title = `${user.name}’s anime`
    const { text, events, shows } = writeCalendar(entries, { title, now: now(), weeks, timeZone })
    const name = `${user.name.replaceAll(/[^\w-]+/g, '_')}-episodes.ics`
    const path = await exports?.write(name, [text], signal)
    const warning = warningOf(list)
    return {
      data: { name, events, shows, weeks, time_zone: timeZone, path },
      lines: [
        ...(warning === undefined ? [] : [warning]),
        `${path ?? `${name}, attached`}: ${events} episodes of ${shows} anime in ${weeks} weeks, for ${timeZone}. ` +
          'Numbers are estimates; when imported again, the same days are replaced.',
      ],
      ...(path === undefined && { files: [{ name, mimeType: 'text/calendar', text }] }),
    }
  },
})
