import { asProblem, problem, Problem } from '../base/problem.ts'

/**
 * Why a provider gave no tokens. `grant`: what was presented is good for nothing any more. `client`: it does not know
 * this gate. `temporary`: it said nothing of either. `malformed`: what it said is not OAuth. `fault`: the gate could not
 * even ask. `error` is a word of a known list and never the provider's own text.
 */
export interface Failure {
  readonly kind: 'grant' | 'client' | 'temporary' | 'malformed' | 'fault'
  readonly error: string
  readonly cause?: unknown
}

/** The failure as a person meets it, where the connection itself is kept. */
export function toProblem({ kind, error, cause }: Failure, { id, name }: { id: string; name: string }): Problem {
  if (kind === 'fault' || (cause instanceof Problem && KEPT.has(cause.code))) return asProblem(cause)
  const details = { id, provider: name, reason: error, cause }
  if (kind === 'client') return problem('provider.misconfigured', details)
  return problem(kind === 'temporary' ? 'provider.unreachable' : 'provider.bad_answer', details)
}

/** What an operator has to hear in full. */
const KEPT: ReadonlySet<string> = new Set(['outbound.refused', 'gate.stopping', 'provider.not_set_up'])

/** Takes what was thrown before the provider was asked: its discovery may have failed, or something of our own. */
export function toFaultOrFailure(cause: unknown): Failure {
  const isOutside = cause instanceof Problem && /^(?:provider|outbound)\./.test(cause.code)
  return isOutside ? toFailure(cause) : { kind: 'fault', error: 'gate.fault', cause }
}

/** Takes what a fetch threw. */
export function toFailure(cause: unknown): Failure {
  if (cause instanceof Problem && cause.code.startsWith('provider.')) {
    return { kind: cause.code === 'provider.bad_answer' ? 'malformed' : 'temporary', error: cause.code, cause }
  }
  const error = cause instanceof Problem ? cause.code : 'unreachable'
  return { kind: error === 'outbound.too_large' ? 'malformed' : 'temporary', error, cause }
}
