import { readArguments } from './lib/arguments.ts'
import { attackClasses, readAttacks } from './lib/attacks.ts'
import { tryMutants } from './lib/attack-mutants.ts'
import { tryAttacks, type Tried } from './lib/attack-run.ts'

const HELP = `Tries every attack and prints how many were repelled, by class; exits with 1 where one was not.

  npm run attacks [-- options] [classes]

  classes     only these of ${attackClasses().join(', ')}
  --mutants   takes defences away instead, one at a time in a copy of the sources, and exits with 1 where an attack does
              not notice; with names, only those of packages/gateway/test/attacks/mutants
  --help      this text`

const { values, positionals } = readArguments(HELP, {
  options: { mutants: { type: 'boolean' } },
  allowPositionals: true,
})

process.exitCode = (await (values.mutants === true ? mutants() : attacks())) ? 0 : 1

async function attacks(): Promise<boolean> {
  const classes = attackClasses().filter((kind) => positionals.length === 0 || positionals.includes(kind))
  const rows = readAttacks()
  const all: Tried[] = []
  console.log(line('class', ['known attacks', 'tried', 'repelled']))
  for (const kind of classes) {
    const tried = await tryAttacks(kind)
    all.push(tried)
    console.log(line(kind, [rows.filter((row) => row.kind === kind).length, tried.tried, tried.repelled]))
    for (const title of tried.failed) console.log(`  NOT REPELLED  ${title}`)
    if (tried.trouble !== undefined) console.log(tried.trouble)
  }
  const tried = all.reduce((sum, one) => sum + one.tried, 0)
  const repelled = all.reduce((sum, one) => sum + one.repelled, 0)
  console.log(line('all', [rows.filter(({ kind }) => classes.includes(kind)).length, tried, repelled]))
  return tried > 0 && all.every((one) => one.trouble === undefined && one.tried === one.repelled)
}

async function mutants(): Promise<boolean> {
  const outcomes = await tryMutants(positionals, (text) => console.log(text))
  const caught = outcomes.filter(Boolean).length
  console.log(`${caught} of ${outcomes.length} caught`)
  return outcomes.length > 0 && caught === outcomes.length
}

function line(name: string, numbers: readonly (string | number)[]): string {
  return name.padEnd(12) + numbers.map((number) => String(number).padStart(15)).join('')
}
