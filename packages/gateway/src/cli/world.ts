import type { Readable, Writable } from 'node:stream'

/** What a command takes from outside itself. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where the command was typed: relative paths begin here. */
  readonly directory: string
  readonly input: Input
  readonly output: Output
  readonly errors: Output
}

/** What is typed or piped in; a terminal can be told not to show what is typed. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }
