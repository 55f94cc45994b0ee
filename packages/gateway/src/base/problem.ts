import type { ErrorRow } from './error-row.ts'
import { errors, type ErrorCode } from './errors.ts'

/** What is known of a failure: private, but for what the words of its row name. */
export type Details = Readonly<Record<string, unknown>>

/** A failure with its row of the table; `details` is private but for what the row's words name. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, details: Details, options?: ErrorOptions) {
    super(fill(errors[code].says, details), options)
    this.code = code
    this.details = details
  }

  get row(): ErrorRow {
    return errors[this.code]
  }

  /** What to do about it, in words for the person who met it. */
  get fix(): string {
    return fill(this.row.fix, this.details)
  }
}

/** Makes a failure; `cause` in the details becomes the error's cause. */
export function problem(code: ErrorCode, { cause, ...details }: Details = {}): Problem {
  return new Problem(code, details, cause === undefined ? undefined : { cause })
}

/** Takes whatever was thrown; what is not one of ours is our own fault, and keeps its cause for the log. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : problem('gate.fault', { cause: error })
}

function fill(words: string, details: Details): string {
  return words.replace(/\{(\w+)\}/g, (_whole, name: string) => show(details[name]))
}

function show(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?'
}

/** The body every wire carries, apart from its own wrapping. */
export interface PublicError {
  readonly code: ErrorCode
  readonly message: string
  readonly details: { readonly fix: string; readonly docs: string; readonly requestId?: string }
}

/** The HTTP wire: `{ error: { code, message, details } }`. */
export function toHttpError(problem: Problem, requestId?: string): { error: PublicError } {
  return {
    error: {
      code: problem.code,
      message: problem.message,
      details: {
        fix: problem.fix,
        docs: `docs/generated/errors.md#${problem.code.replace('.', '')}`,
        ...(requestId === undefined ? {} : { requestId }),
      },
    },
  }
}

/** The JSON-RPC wire, as JSON text; `idText` is the request's own id, in the bytes it came in. */
export function toRpcError(problem: Problem, idText: string, requestId: string): string {
  const { code, message, details } = toHttpError(problem, requestId).error
  const shown = Object.fromEntries((problem.row.shows ?? []).map((name) => [name, problem.details[name]]))
  const error = { code: problem.row.rpc, message, data: { ...shown, code, ...details } }
  return `{"jsonrpc":"2.0","id":${idText},"error":${JSON.stringify(error)}}`
}
