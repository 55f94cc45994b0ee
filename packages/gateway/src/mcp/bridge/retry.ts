import type { ErrorCode } from '../../base/errors.ts'
import type { Problem } from '../../base/problem.ts'

/** After these nobody knows whether the call ran. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['upstream.died', 'upstream.unreachable', 'shared.gone', 'call.lost'])

/**
 * Whether a call that failed may be made once more without asking anybody: where its server says of the tool that it
 * only reads, or that to do it twice is to do it once.
 *
 * @see MCP 2026-07-28, server/tools#tool-annotations: `readOnlyHint`, `idempotentHint`
 */
export function mayRunAgain(item: { readonly retriable: boolean } | undefined, { code }: Problem): boolean {
  return item?.retriable === true && UNCERTAIN.has(code)
}
