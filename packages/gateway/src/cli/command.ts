import type { World } from './world.ts'

/** What follows a command's name, in order. */
export interface ArgumentRow {
  readonly name: string
  readonly optional?: true
  readonly choices?: readonly string[]
  readonly says: string
}

/** `--name`, or `--name <value>` where a value is named. */
export interface OptionRow {
  readonly value?: string
  readonly choices?: readonly string[]
  /** May be given more than once. */
  readonly many?: true
  readonly number?: true
  readonly says: string
}

type Arguments = readonly ArgumentRow[]
type Options = Readonly<Record<string, OptionRow>>

type ArgumentValue<A extends ArgumentRow> = A extends { optional: true } ? string | undefined : string

type OptionValue<O extends OptionRow> = O extends { many: true }
  ? readonly string[]
  : O extends { number: true }
    ? number | undefined
    : O extends { value: string }
      ? string | undefined
      : boolean

/** A command line as its row describes it. */
export interface Call<A extends Arguments, O extends Options> {
  readonly arguments: { readonly [K in A[number] as K['name']]: ArgumentValue<K> }
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> }
}

/** A command line of a command that is not known in particular. */
export interface AnyCall {
  readonly arguments: Readonly<Record<string, string | undefined>>
  readonly options: Readonly<Record<string, string | readonly string[] | number | boolean | undefined>>
}

/** One command: all that the program, its help, its completion and its reference page know of it. */
export interface Command {
  /** `user add`: the words that call it. */
  readonly name: string
  readonly does: string
  readonly arguments: Arguments
  readonly options: Options
  /** Command lines without the program's name, and what each is for. */
  readonly examples: Readonly<Record<string, string>>
  /**
   * Does it. An exit code is answered where it is not 0 although nothing failed.
   *
   * @throws {Problem} what happened and what to do; the process then ends with 1
   */
  run(call: AnyCall, world: World): Promise<number | void>
}

interface TypedCommand<A extends Arguments, O extends Options> extends Omit<Command, 'arguments' | 'options' | 'run'> {
  readonly arguments: A
  readonly options: O
  run(call: Call<A, O>, world: World): Promise<number | void>
}

/** Works out the types of what `run` is given from the rest of the row. */
export function command<const A extends Arguments, const O extends Options>(row: TypedCommand<A, O>): Command {
  return row
}
