import type { ErrorRow } from '../error-row.ts'

/** Failures of what becomes of a call at its server. */
export const upstreamErrors = {
  'tool.unknown': {
    status: 400,
    rpc: -32602,
    says: 'Unknown tool: {tool}.',
    fix: 'List the tools again; sekisho_status says which servers are missing and why.',
  },
  'upstream.unknown': {
    status: 404,
    rpc: -31004,
    says: 'There is no server called {server} here.',
    fix: 'Compare the address with the names under mcpServers.',
  },
  'upstream.unreachable': {
    status: 502,
    rpc: -31006,
    says: '{server} cannot be reached.',
    fix: 'Try again; if it stays, ask the operator: the log says why under this request id.',
  },
  'upstream.start_failed': {
    status: 502,
    rpc: -31006,
    says: '{server} did not start.',
    fix: 'See `sekisho logs {server}`, or ask the operator.',
  },
  'upstream.start_timeout': {
    status: 504,
    rpc: -31006,
    says: '{server} did not answer within {seconds} s of its start.',
    fix: 'See `sekisho logs {server}`, or raise its startTimeoutMs.',
  },
  'upstream.died': {
    status: 502,
    rpc: -31006,
    says: '{server} ended before it answered. The call may or may not have run.',
    fix: 'Check what it did before you call again.',
  },
  'upstream.memory': {
    status: 502,
    rpc: -31006,
    says: '{server} used more than {megabytes} MB and was ended. The call may or may not have run.',
    fix: 'Raise its memoryMb, or ask it for less.',
  },
  'upstream.capacity': {
    status: 503,
    rpc: -31007,
    says: 'No more servers can be started now.',
    fix: 'Try again soon, or ask the operator to raise stdio.maxChildren.',
  },
  'upstream.timeout': {
    status: 504,
    rpc: -31006,
    says: '{server} did not answer within {seconds} s. The call may or may not have run.',
    fix: 'Check what it did before you call again, or raise its timeoutMs.',
  },
  'upstream.bad_answer': {
    status: 502,
    rpc: -31006,
    says: '{server} gave an answer that is not MCP ({reason}).',
    fix: 'Ask the operator: the log says more under this request id.',
  },
  'upstream.too_large': {
    status: 502,
    rpc: -31006,
    says: '{server} gave an answer larger than {limit} bytes.',
    fix: 'Ask it for less, or raise limits.answerBytes.',
  },
  'upstream.refused': {
    status: 502,
    rpc: -31006,
    says: '{server} refused the credential it was given (HTTP {upstreamStatus}).',
    fix: 'Set your token for it again, or ask the operator.',
  },
  'upstream.busy': {
    status: 503,
    rpc: -31006,
    says: '{server} has too much to do (HTTP {upstreamStatus}).',
    fix: 'Try again later.',
  },
  'upstream.unsupported': {
    status: 502,
    rpc: -31006,
    says: '{server} does not speak a protocol revision that can serve this.',
    fix: 'Ask the operator to update that server.',
  },
} as const satisfies Record<string, ErrorRow>
