import type { z } from 'zod'
import type { Account } from '../auth/account.ts'
import type { MalSession } from '../session.ts'
import type { Exports } from '../storage/exports.ts'
import type { AccountStorage } from '../storage/storage.ts'

/**
 * The groups in which tools are switched on and off (`MAL_TOOLSETS`). `core` is what everybody gets unless they say
 * otherwise; `all` names all of them.
 */
export const toolsets = ['core', 'discover', 'insight', 'bulk', 'transfer', 'community', 'account'] as const
export type Toolset = (typeof toolsets)[number]

/** What a tool does to the world, as MCP's annotations name it. */
export type Effect = 'reads' | 'writes' | 'overwrites'

/** One tool: a row of the table in `tools/table.ts`. */
export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly toolset: Toolset
  readonly title: string
  /** For the model: what it gives, when to take it, when to take another. */
  readonly description: string
  readonly input: Input
  readonly output: Output
  /** Tools that do not only read are absent where the server is read-only. */
  readonly effect: Effect
  /** For a tool that does not only read: whether calling it again with the same arguments changes nothing more. */
  readonly idempotent?: boolean
  /** Whether it cannot work without storage; without one it says so. */
  readonly needsStorage?: boolean
  /** `false` where it has something to say to a call without a credential too. */
  readonly needsAccount?: boolean
  run(call: ToolCall, args: z.output<Input>): Promise<Told<z.input<Output>>>
}

/** What a tool answers: for programs, and in lines for the model that reads it. */
export interface Told<Structured> {
  readonly data: Shown<Structured>
  readonly lines: readonly string[]
  /** Files or pages that go with it, as embedded resources. */
  readonly files?: readonly ToldFile[]
}

/** The same with nothing in it to change: a tool may show what others hold. */
export type Shown<Value> = Value extends readonly (infer Item)[]
  ? readonly Shown<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Shown<Value[Key]> }
    : Value

export interface ToldFile {
  readonly name: string
  readonly mimeType: string
  readonly text?: string
  readonly bytes?: Uint8Array
}

/** What one call can do, for as long as it may take. Whatever it throws that is a `MalProblem` becomes a result. */
export interface ToolCall {
  readonly mal: MalSession
  /** The credential of the call, and how the connection does. */
  readonly account: Account
  /** Now, in milliseconds. */
  now(): number
  /** When the call ends at the latest, in milliseconds since the epoch: what takes longer is left to another call. */
  readonly deadline: number
  /** Resolves after `ms`; rejects when the call ends first, or `until` fires. */
  wait(ms: number, until?: AbortSignal): Promise<void>
  readonly signal: AbortSignal
  /** Of the account that calls. @throws {MalProblem} `storage_off` where nothing can be kept. */
  storage(): Promise<AccountStorage>
  /** Where whole lists can be written on the caller's own machine; absent where that is somebody else's. */
  readonly exports: Exports | undefined
  /** Tells whoever waits how far the work is. `done` grows. */
  progress(done: number, total: number | undefined, message: string): Promise<void>
  /** Whether the client can put a question to the person. */
  readonly canAsk: boolean
  /**
   * Asks the person to choose. Once they have answered, the call begins again from its first line, so ask before
   * anything is changed, and ask the same again in the same order. It throws something that is to pass through.
   *
   * @returns the value of the option, or `undefined` where they declined, or where the client cannot ask: the tool then
   * says what there is to choose from.
   */
  choose(
    question: string,
    options: readonly { readonly value: string; readonly label: string }[],
  ): Promise<string | undefined>
}

/** Keeps the types of a row together. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(
  row: Tool<Input, Output>,
): Tool<Input, Output> {
  return row
}
