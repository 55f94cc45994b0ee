import { completable } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { kinds } from '../list/entry.ts'
import { prompt, type Prompt } from './prompt.ts'

const seasons = ['winter', 'spring', 'summer', 'fall'] as const

/** Arguments of prompts are text. */
const oneOf = <Name extends string>(names: readonly Name[], says: string) =>
  completable(z.enum(names as readonly [Name, ...Name[]]).describe(says), (typed) =>
    names.filter((name) => name.startsWith(typed ?? '')),
  )
const kind = oneOf(kinds, 'anime or manga')

/** What a person can start without knowing any tool. */
export const prompts: readonly Prompt[] = [
  prompt({
    name: 'taste_report',
    title: 'A report on my taste',
    description: 'What I like and why, from my whole list: patterns, surprises, where I differ from everybody else.',
    args: z.object({ kind }),
    write: ({ kind }) =>
      `Write a report on my taste in ${kind}. Call get_user_stats and analyze_taste with kind "${kind}" once each; they ` +
      'read the whole list, so do not page through it. Say what my best scores have in common, what I drop and when, ' +
      'where I differ from the community, and how my taste has changed over the years. Name titles as evidence for ' +
      'each claim, tell apart what the figures show and what you guess, and end with three titles I have not seen ' +
      'that would test your theory.',
  }),
  prompt({
    name: 'what_to_watch_tonight',
    title: 'What to watch tonight',
    description: 'Three things for this evening, from what I am watching and what I planned.',
    args: z.object({
      minutes: z.string().describe('How long the evening is, in minutes').optional(),
      mood: z.string().describe('What it should feel like').optional(),
    }),
    write: ({ minutes, mood }) =>
      `Choose what I watch tonight. I have ${quoted(minutes) ?? 'about 120'} minutes` +
      `${mood === undefined ? '' : `, and I am in the mood for ${quoted(mood)}`}. Look at what I am watching and at what ` +
      'I plan to watch (get_my_anime_list with each status; search_my_list where it is there). Offer three: one to go ' +
      'on with, one short one to finish, one to begin. For each say how many episodes fit into the time, why it is ' +
      'right for tonight, and how I rated what is like it. Ask before you change anything on my list.',
  }),
  prompt({
    name: 'plan_season',
    title: 'Plan a season',
    description: 'Which anime of a season are worth my time, and when they are on.',
    args: z.object({
      season: oneOf(seasons, 'winter, spring, summer or fall'),
      year: z.string().describe('Four digits'),
    }),
    write: ({ season, year }) =>
      `Plan the ${season} season of ${quoted(year)} for me. Read the season (get_seasonal_anime), compare it with my ` +
      'taste (analyze_taste), and leave out what is on my list as dropped. Give me a short list in three groups: must ' +
      'watch, worth three episodes, only if there is time. For each: why, the sequel or studio it hangs on, the day and ' +
      'hour it is on where I am (get_schedule), and what I should have seen before. Then ask which of them to put on my ' +
      'list as plan_to_watch.',
  }),
  prompt({
    name: 'clean_up_my_list',
    title: 'Clean up my list',
    description: 'Find what is forgotten, unfinished or contradictory on my list, and plan the changes.',
    args: z.object({ kind }),
    write: ({ kind }) =>
      `Help me clean up my ${kind} list. Find entries that were not touched for half a year and are still in progress, ` +
      'entries whose progress is at the end but that are not completed, completed ones without a score or a date, and ' +
      'dates that contradict each other (search_my_list). Show me each group with its count and examples. For what I ' +
      'agree to, make one plan with plan_bulk_update, show me its differences, and carry it out only after I say so. ' +
      'Tell me how to take it back.',
  }),
]

/** What a person typed, as a part of a sentence and not as further instructions. */
function quoted(text: string | undefined): string | undefined {
  const line = text
    ?.replaceAll(/[\p{Cc}"]+/gu, ' ')
    .trim()
    .slice(0, 200)
  return line ? `"${line}"` : undefined
}
