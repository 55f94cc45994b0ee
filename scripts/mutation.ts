import { rmSync } from 'node:fs'
import { readArguments } from './lib/arguments.ts'
import { guarded } from './lib/rooms.ts'
import { findParts, readScore, showSurvivors, tryChanges } from './lib/mutation.ts'

const SCORE_LEAST = 75

const HELP = `Changes the code of the rooms that guard secrets in small ways, one at a time, and counts how many of the changes a
test notices. Fails under ${SCORE_LEAST} %. Takes long.

  npm run mutation [-- options]

  --room R      only this room, as often as wanted: ${guarded.join(', ')}
  --file F      only files of it with this in their name
  --minutes N   begins nothing new after that time
  --anew        forgets first what was found out before
  --help        this text

What was found out is kept in artifacts, and added to: a change is tried again only where it, or a test that might notice
it, is another.`

const { values } = readArguments(HELP, {
  options: {
    room: { type: 'string', multiple: true },
    file: { type: 'string' },
    minutes: { type: 'string' },
    anew: { type: 'boolean' },
  },
})
const until = Date.now() + Number(values.minutes ?? Infinity) * 60_000

for (const room of values.room ?? guarded) {
  if (!guarded.includes(room)) throw new Error(`${room} is none of ${guarded.join(', ')}`)
  const kept = `artifacts/mutation-${room}.json`
  if (values.anew) rmSync(kept, { force: true })
  for (const part of findParts(room, values.file)) {
    if (Date.now() < until) await tryChanges(room, part, kept)
  }
  for (const line of showSurvivors(kept)) console.log(line)
  const { score, noticed, counted, files } = readScore(kept)
  const of = `${noticed} of ${counted} changes in ${files} of ${findParts(room).flat().length} files`
  console.log(`mutation  ${room.padEnd(12)} ${score.toFixed(1)} % of at least ${SCORE_LEAST} % (${of})`)
  if (score < SCORE_LEAST) process.exitCode = 1
}
