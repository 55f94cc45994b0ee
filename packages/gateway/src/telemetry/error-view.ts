/** An error as the log shows it. */
interface ErrorView {
  readonly type: string
  readonly message: string
  readonly code?: string | number
  readonly stack?: string
  readonly cause?: unknown
  /** The parts of an `AggregateError`. */
  readonly errors?: readonly unknown[]
}

/** How far causes are followed. */
const DEPTH = 6

/**
 * Shows of an error what names it and where it happened, and nothing else: the properties that libraries add
 * can hold what a server was sent or sent back (undici's `data`, a child process's `spawnargs`), and with it
 * a user's token. The words of `JSON.parse` quote the text they are about, so they are left out as well.
 */
export function viewOf(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error
  const message = wordsOf(error)
  return {
    type: error.name,
    message,
    ...codeOf(error),
    ...(error.stack === undefined ? {} : { stack: error.stack.replace(error.message, () => message) }),
    ...(error.cause === undefined || depth === DEPTH ? {} : { cause: viewOf(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && depth < DEPTH
      ? { errors: error.errors.map((each) => viewOf(each, depth + 1)) }
      : {}),
  } satisfies ErrorView
}

function wordsOf(error: Error): string {
  return error instanceof SyntaxError && error.message.endsWith(NOT_JSON) ? NOT_JSON : error.message
}

const NOT_JSON = 'is not valid JSON'

function codeOf(error: Error): { code?: string | number } {
  const code = 'code' in error ? error.code : undefined
  return typeof code === 'string' || typeof code === 'number' ? { code } : {}
}
