import { readArguments } from './lib/arguments.ts'
import { runFaults } from './lib/faults-run.ts'
import { openSchema } from './lib/faults-schema.ts'
import { showFaults } from './lib/faults-shown.ts'

const HELP = `Two processes of one gate behind a proxy that knows no sessions, one of them killed in the middle. Prints what became of
every call; exits with 1 where one is lost. Wants PostgreSQL and Redis: SEKISHO_TEST_POSTGRES and SEKISHO_TEST_REDIS
say where, else they are looked for on this machine.

  npm run faults [-- options]

  --calls N   how many calls of each kind (default 1000)
  --help      this text`

const { values } = readArguments(HELP, { options: { calls: { type: 'string', default: '1000' } } })
const calls = Number(values.calls)

await using schema = await openSchema(process.env['SEKISHO_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1/test')
const { lines, problems } = showFaults(
  await runFaults({
    databaseUrl: schema.databaseUrl,
    redisUrl: process.env['SEKISHO_TEST_REDIS'] ?? 'redis://127.0.0.1:6379',
    calls,
    atOnce: 16,
    sessionsEach: 10,
    parked: 20,
    kills: 5,
    held: 8,
    comesBack: true,
  }),
)
for (const line of lines) console.log(line)
for (const problem of problems) console.log(`LOST  ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
