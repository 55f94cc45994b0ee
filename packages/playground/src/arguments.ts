import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

const MISUSED = 2

/**
 * What was typed behind the name of a program. Asked for `--help`, it prints the words and ends the process; what the
 * program does not take ends it with 2 and one line.
 */
export function readOptions<const T extends ParseArgsOptionsConfig>(help: string, options: T) {
  if (process.argv.slice(2).includes('--help')) {
    process.stdout.write(help)
    process.exit(0)
  }
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return stop(error)
  }
}

/** Ends the process: why it cannot go on, in one line. */
export function stop(why: unknown): never {
  const [said] = (why instanceof Error ? why.message : String(why)).split('. ')
  process.stderr.write(`${said} (--help shows what there is)\n`)
  process.exit(MISUSED)
}
