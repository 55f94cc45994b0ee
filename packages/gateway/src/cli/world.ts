import type { Input, Output } from '../base/terminal.ts'

/** What a command takes from outside itself. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where the command was typed: relative paths begin here. */
  readonly directory: string
  readonly input: Input
  readonly output: Output
  readonly errors: Output
}
