import type { z } from 'zod'

/** A task that a person starts from a menu: a row of the table in `prompts/table.ts`. */
export interface Prompt<Args extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly args: Args
  /** What the person asks the model for. */
  write(args: z.output<Args>): string
}

/** Keeps the types of a row together. */
export function prompt<Args extends z.ZodObject>(row: Prompt<Args>): Prompt<Args> {
  return row
}
