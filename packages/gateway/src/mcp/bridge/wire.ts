import type { Resumed } from './park.ts'

/** How two processes of a gate tell each other of a call that one keeps and whose client has come to the other. */

/** A client that has come again. */
export interface Retried {
  readonly id: string
  readonly round: number
  readonly until: number
  readonly server: string
  readonly said: ReadonlyMap<string, string>
}

export function writeRetried({ said, ...state }: Retried): Buffer {
  return Buffer.from(JSON.stringify({ ...state, said: [...said] }))
}

export function readRetried(payload: Buffer): Retried {
  const { said, ...state } = JSON.parse(payload.toString()) as Retried & { said: [string, string][] }
  return { ...state, said: new Map(said) }
}

/** Bytes as they are, behind one line that says what they are. */
export function pack(head: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

export function unpack(bytes: Buffer): { readonly head: string; readonly body: Buffer } {
  const end = bytes.indexOf(NEW_LINE)
  return { head: String(JSON.parse(bytes.toString('utf8', 0, end))), body: bytes.subarray(end + 1) }
}

const NEW_LINE = 0x0a
const QUESTIONS = 'questions'

/** Headed by the HTTP status where it is an answer. */
export function packOutcome(outcome: Resumed): Buffer {
  if (outcome.kind === 'questions') return pack(QUESTIONS, Buffer.from(outcome.result))
  return pack(String(outcome.status), outcome.member)
}

export function unpackOutcome(bytes: Buffer): Resumed {
  const { head, body } = unpack(bytes)
  if (head === QUESTIONS) return { kind: 'questions', result: body.toString() }
  return { kind: 'answer', status: Number(head), member: body }
}
