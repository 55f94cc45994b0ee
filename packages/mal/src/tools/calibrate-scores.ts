import { z } from 'zod'
import { calibrate } from '../insight/calibration.ts'
import { differenceLine } from './get-user-stats.ts'
import { tool } from './tool.ts'
import { differences, figure, kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

export const calibrateScores = tool({
  name: 'calibrate_scores',
  toolset: 'insight',
  title: 'Score calibration',
  description:
    "How the user's scale of 1 to 10 is used, and what each score is worth: its z-score, its percentile, the " +
    "community's mean at that percentile, and where it would stand on an evenly used scale. Also the entries furthest " +
    "from the user's own line, for a second look. Data only: it changes nothing.",
  effect: 'reads',
  input: z.object({ kind: kindInput }),
  output: z.object({
    ...wholeShape,
    scored: z.int(),
    mean: figure,
    median: figure,
    spread: figure,
    evenness: z.number().describe('0 one score only, 1 all ten alike'),
    scores: z.array(
      z.object({
        score: z.int(),
        count: z.int(),
        z: z.number(),
        percentile: z.number(),
        community: figure,
        evenly: z.number(),
      }),
    ),
    out_of_line: differences.describe("other: what the user's own scale says of such a community mean"),
  }),
  async run({ mal }, { kind }) {
    const list = await mal.wholeList(kind)
    const calibration = calibrate(list.entries)
    return {
      data: { ...showWhole(list), ...calibration },
      lines: wholeLines(list, [
        `${calibration.scored} scores, mean ${calibration.mean ?? '-'}, median ${calibration.median ?? '-'}, spread ` +
          `${calibration.spread ?? '-'}, evenness ${calibration.evenness} of 1`,
        'score: count, z-score, percentile, community mean at that percentile, on an even scale',
        ...calibration.scores.map(
          ({ score, count, z, percentile, community, evenly }) =>
            `${score}: ${count}, ${z}, ${percentile} %, ${community ?? '-'}, ${evenly}`,
        ),
        `Against the own line: ${calibration.out_of_line.map(differenceLine).join('; ') || 'nothing to look at again'}`,
      ]),
    }
  },
})
