import { errors, type ErrorCode } from '../../base/errors.ts'
import { problem, type Details, type Problem } from '../../base/problem.ts'

/** What the processes say to each other: `n` is the asker's number of what it asked. */
export type Head =
  | { readonly is: 'ask'; readonly from: string; readonly n: number; readonly kind: string; readonly more: boolean }
  /** The answer is not wanted any more. */
  | { readonly is: 'cancel'; readonly from: string; readonly n: number }
  /** The answers to these are still wanted; what is not known any more is told to be gone. */
  | { readonly is: 'waiting'; readonly from: string; readonly asked: readonly number[] }
  | Answered
  /** So many bytes have arrived, so that as many more may be sent. */
  | { readonly is: 'room'; readonly from: string; readonly bytes: number }

export type Answered =
  /** `at` counts the messages of one answer from 0, so that a hole is seen. */
  | {
      readonly is: 'frame' | 'end'
      readonly from: string
      readonly n: number
      readonly at: number
      readonly more: boolean
    }
  | { readonly is: 'fail'; readonly from: string; readonly n: number; readonly code: string; readonly details: Details }

export interface Message {
  readonly head: Head
  readonly body: Buffer
}

const NEW_LINE = 0x0a
const NOTHING = Buffer.alloc(0)
const PIECE_BYTES = 512 * 1024

/** Writes a message: its head as one line of JSON, then bytes as they are. */
export function encode(head: Head, body: Buffer = NOTHING): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

/** @throws {SyntaxError} where the other process speaks otherwise */
export function decode(bytes: Buffer): Message {
  const end = bytes.indexOf(NEW_LINE)
  const head = JSON.parse(bytes.toString('utf8', 0, end)) as Head
  return { head, body: bytes.subarray(end + 1) }
}

/** Cuts bytes into pieces that one message can carry; one piece even where there is nothing. */
export function cut(bytes: Buffer): { piece: Buffer; more: boolean }[] {
  const pieces = []
  for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES)
    pieces.push({ piece: bytes.subarray(at, at + PIECE_BYTES), more: at + PIECE_BYTES < bytes.length })
  return pieces
}

/** Tells a failure by its code and by those of its details that can be written down. */
export function failureHead(from: string, n: number, { code, details }: Problem): Head {
  return { is: 'fail', from, n, code, details: writable(details) }
}

function writable(details: Details): Details {
  try {
    return JSON.parse(JSON.stringify(details)) as Details
  } catch {
    return {}
  }
}

export function readFailure({ code, details }: { readonly code: string; readonly details: Details }): Problem {
  return problem(Object.hasOwn(errors, code) ? (code as ErrorCode) : 'gate.fault', details)
}
