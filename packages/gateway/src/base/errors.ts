import { accessErrors } from './errors/access.ts'
import { accountErrors } from './errors/account.ts'
import { federatedErrors } from './errors/federated.ts'
import { operationErrors } from './errors/operation.ts'
import { requestErrors } from './errors/request.ts'
import { upstreamErrors } from './errors/upstream.ts'

/**
 * Every failure a person can meet, once. A row says whose fault it is (`status`, `rpc`, `oauth` are what
 * each wire shows), what happened (`says`) and what to do (`fix`). `{words in braces}` are filled from the
 * details given to `problem()`; whatever else the details hold stays in the log.
 *
 * JSON-RPC codes of our own lie outside -32768…-32000, which the protocol keeps for itself.
 * @see the MCP specification 2026-07-28, basic/index#error-codes
 */
export const errors = {
  ...requestErrors,
  ...accessErrors,
  ...upstreamErrors,
  ...accountErrors,
  ...federatedErrors,
  ...operationErrors,
}

export type ErrorCode = keyof typeof errors
