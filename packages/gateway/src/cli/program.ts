import { Argument, Command as Program, CommanderError, InvalidArgumentError, Option } from 'commander'
import { asProblem } from '../base/problem.ts'
import { VERSION } from '../base/version.ts'
import { GateRefusal } from './client.ts'
import type { AnyCall, ArgumentRow, Command, OptionRow } from './command.ts'
import { commands, firstSteps, groups } from './commands.ts'
import { createPrinter } from './print.ts'
import type { World } from './world.ts'

const FAILED = 1
const MISUSED = 2

/**
 * Runs a command line, without the program's name.
 *
 * @returns the exit code: 0 done, 1 failed (said on stderr: what happened, what to do), 2 not a command line
 */
export async function runCommandLine(words: readonly string[], world: World): Promise<number> {
  let code = 0
  const program = createProgram(world, (outcome) => (code = outcome))
  try {
    await program.parseAsync([...words], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED
    tellFailure(error, world)
    return FAILED
  }
}

/** The words of a failure; for one that nobody foresaw, where it happened as well. */
function tellFailure(error: unknown, world: World): void {
  const print = createPrinter(world)
  if (error instanceof GateRefusal) return print.failure(error)
  const failure = asProblem(error)
  if (failure.code === 'gate.fault') print.note(error instanceof Error ? String(error.stack) : String(error))
  print.failure(failure)
}

function createProgram(world: World, ended: (code: number) => void): Program {
  const program = new Program('sekisho')
    .description('One address for every MCP server, and every call made with the caller’s own account.')
    .version(VERSION, '--version', 'Show the version.')
    .helpOption('-h, --help', 'Show help.')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('Add --help to see what it takes.')
    .configureOutput({
      writeOut: (text) => void world.output.write(text),
      writeErr: (text) => void world.errors.write(text),
    })
  const parentOf = createParents(program)
  for (const row of commands) {
    const [parent, name] = parentOf(row)
    const given = describe(parent.command(name), row)
    given.action(async () => ended((await row.run(readCall(row, given), world)) ?? 0))
  }
  return addExamples(program, firstSteps)
}

/** Finds what a command belongs to: the program, or the group of its first word, made where it is not there yet. */
function createParents(program: Program): (row: Command) => readonly [parent: Program, name: string] {
  const parents = new Map<string, Program>()
  return ({ name }) => {
    const [first = '', second] = name.split(' ')
    if (second === undefined) return [program, first]
    const parent = parents.get(first) ?? createGroup(program, first)
    parents.set(first, parent)
    return [parent, second]
  }
}

function createGroup(program: Program, name: string): Program {
  const rows = commands.filter((row) => row.name.startsWith(`${name} `))
  const examples = rows.flatMap((row) => Object.entries(row.examples).slice(0, 1))
  const group = program
    .command(name)
    .description(groups[name] ?? '')
    .helpCommand(false)
  return addExamples(group, Object.fromEntries(examples))
}

function describe(program: Program, { does, arguments: args, options, examples }: Command): Program {
  program.description(does)
  for (const row of args) program.addArgument(toArgument(row))
  for (const [name, row] of Object.entries(options)) program.addOption(toOption(name, row))
  return addExamples(program, examples)
}

function addExamples(program: Program, examples: Readonly<Record<string, string>>): Program {
  const lines = Object.entries(examples).map(([line, says]) => `  $ sekisho ${line}\n      ${says}`)
  return program.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

function toArgument({ name, optional, choices, says }: ArgumentRow): Argument {
  const argument = new Argument(optional ? `[${name}]` : `<${name}>`, says)
  return choices ? argument.choices(choices) : argument
}

function toOption(name: string, { value, choices, many, number, says }: OptionRow): Option {
  const option = new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, says)
  if (choices) option.choices(choices)
  if (many) option.argParser((text, before: string[] | undefined) => [...(before ?? []), text])
  if (number) option.argParser(readNumber)
  return option
}

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.')
  return Number(text)
}

/** What was given, as the row has it: commander hands values over without their types. */
function readCall({ arguments: args, options }: Command, given: Program): AnyCall {
  const values: readonly unknown[] = given.processedArgs
  const named = new Map(given.options.map((option) => [option.name(), option.attributeName()]))
  return {
    arguments: Object.fromEntries(args.map(({ name }, place) => [name, asText(values[place])])),
    options: Object.fromEntries(
      Object.entries(options).map(([name, row]) => [
        name,
        readOption(row, given.getOptionValue(named.get(name) ?? name)),
      ]),
    ),
  }
}

function readOption({ value, many, number }: OptionRow, given: unknown) {
  if (many) return Array.isArray(given) ? given.map(String) : []
  if (number) return typeof given === 'number' ? given : undefined
  return value === undefined ? given === true : asText(given)
}

function asText(given: unknown): string | undefined {
  return typeof given === 'string' ? given : undefined
}
