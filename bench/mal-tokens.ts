import { startEmulated } from '../packages/mal/test/support/emulated.ts'
import { budgets, eras, listCosts, summaryCosts, totalOf } from '../packages/mal/test/support/tokens.ts'
import { readArguments } from '../scripts/lib/arguments.ts'

const HELP = `What the MyAnimeList server costs a model to read, in tokens of four characters: each tool with its schemas, each
toolset in both eras, and a list of 300 entries. Exits with 1 where a budget is spent.

  npm run tokens -w packages/mal

It takes no options.`

readArguments(HELP, {})

await using emulated = await startEmulated()

for (const era of eras) {
  for (const [toolset, costs] of await listCosts(emulated, era)) {
    if (costs.length === 0) continue
    say(`\n${era} ${toolset}`, totalOf(costs), toolset === 'core' ? budgets.core : undefined)
    for (const { name, tokens } of costs) say(`  ${name}`, tokens)
  }
}

console.log('\n300 entries, analyze_taste')
for (const { name, tokens } of await summaryCosts(emulated)) say(`  ${name}`, tokens, budgets.summary)

function say(name: string, tokens: number, budget?: number): void {
  const of = budget === undefined ? '' : ` of ${budget}${tokens < budget ? '' : '  OVER BUDGET'}`
  console.log(`${name.padEnd(40)} ${String(tokens).padStart(6)}${of}`)
  if (budget !== undefined && tokens >= budget) process.exitCode = 1
}
