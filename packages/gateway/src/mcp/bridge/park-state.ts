import { hash } from 'node:crypto'
import type { UpstreamId } from '../../base/ids.ts'
import { isRecord, type RpcRequest } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import type { Principal } from '../../identity/principal.ts'
import { lastingParams } from '../eras/input-required.ts'
import { createSealedText } from './sealed-text.ts'

/** What a client carries, sealed, to come back with. */
export interface ParkState {
  readonly id: string
  /** The process that keeps the call. */
  readonly instance: string
  /** Which of its questions the client has been given. */
  readonly round: number
  /** When nobody waits for it any more, should the client not come, in milliseconds since the epoch. */
  readonly until: number
  /** Whose questions they are. */
  readonly server: UpstreamId
}

/** Who asks for what: a state is good for the same user and the same request alone. */
export interface Asker {
  readonly principal: Pick<Principal, 'tenant' | 'userId'>
  readonly request: RpcRequest
}

export interface ParkStates {
  write(state: ParkState, asker: Asker): string
  /** @throws {Problem} `call.state` */
  read(text: unknown, asker: Asker): ParkState
  /** Whether it looks like one of these. */
  recognises(text: string): boolean
}

/** @see MCP 2026-07-28, basic/patterns/mrtr#server-requirements-basic-workflow on what a state is bound to */
export function createParkStates(key: Uint8Array): ParkStates {
  const texts = createSealedText({ key, prefix: 'sk1.' })
  return {
    write: ({ id, instance, round, until, server }, asker) =>
      texts.seal(Buffer.from(JSON.stringify([id, instance, round, until, server])), aboutOf(asker)),
    read(text, asker) {
      const plain = typeof text === 'string' ? texts.open(text, aboutOf(asker)) : undefined
      if (!plain) throw problem('call.state')
      const [id, instance, round, until, server] = JSON.parse(plain.toString()) as Written
      return { id, instance, round, until, server }
    },
    recognises: texts.recognises,
  }
}

type Written = [id: string, instance: string, round: number, until: number, server: UpstreamId]

function aboutOf({ principal, request }: Asker): readonly string[] {
  return [principal.tenant, principal.userId, digestOf(request)]
}

/** A client may write the same request in another order of members. */
function digestOf(request: RpcRequest): string {
  const lasting = JSON.stringify([request.method, sorted(lastingParams(request), LEVELS_MOST)])
  return hash('sha256', lasting, 'base64url')
}

/** What lies deeper is not compared: a state says who may come back, and with what request they once came. */
const LEVELS_MOST = 100

function sorted(value: unknown, levels: number): unknown {
  if (levels === 0) return null
  if (Array.isArray(value)) return value.map((element) => sorted(element, levels - 1))
  if (!isRecord(value)) return value
  const members = Object.keys(value).sort()
  return Object.fromEntries(members.map((key) => [key, sorted(value[key], levels - 1)]))
}
