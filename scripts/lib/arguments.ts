import { parseArgs, type ParseArgsConfig } from 'node:util'

const MISUSED = 2

/**
 * What was typed behind the name of a script. Asked for `--help`, it prints the words and ends the process; what the
 * script does not take ends it with 2 and one line.
 */
export function readArguments<const T extends ParseArgsConfig>(help: string, taken: T) {
  answerHelp(help)
  try {
    return parseArgs(taken)
  } catch (error) {
    const [said] = (error instanceof Error ? error.message : String(error)).split('. ')
    console.error(`${said} (--help shows what there is)`)
    process.exit(MISUSED)
  }
}

/** The half of it for a script that hands on what it was given. */
export function answerHelp(help: string): void {
  if (!process.argv.slice(2).includes('--help')) return
  console.log(help)
  process.exit(0)
}
