import type { ErrorRow } from '../error-row.ts'

/** Failures of what is wrong with a request, before anybody asks who sent it. */
export const requestErrors = {
  'request.malformed': {
    status: 400,
    rpc: -32700,
    says: 'The request is not valid JSON.',
    fix: 'Send one JSON-RPC 2.0 message as UTF-8 JSON.',
  },
  'request.invalid': {
    status: 400,
    rpc: -32600,
    says: 'The request is not a valid JSON-RPC message: {reason}.',
    fix: 'Send one JSON-RPC 2.0 request or notification.',
  },
  'request.params': {
    status: 400,
    rpc: -32602,
    says: 'The parameters are not valid: {reason}.',
    fix: 'Compare the request with the schema of its method.',
  },
  'request.method_unknown': {
    status: 404,
    rpc: -32601,
    says: 'The method {method} is not known here.',
    fix: 'Use a method that the capabilities name.',
  },
  'request.header_mismatch': {
    status: 400,
    rpc: -32020,
    says: 'The header {header} is missing or does not agree with the body.',
    fix: 'Send MCP-Protocol-Version, Mcp-Method and Mcp-Name with the values of the body.',
  },
  'request.version_unsupported': {
    status: 400,
    rpc: -32022,
    says: 'The protocol version {requested} is not supported.',
    fix: 'Use one of the versions listed in the error.',
    shows: ['supported', 'requested'],
  },
  'request.capability_missing': {
    status: 400,
    rpc: -32021,
    says: 'This needs a capability that the client did not declare.',
    fix: 'Declare what the error lists, where the client has it.',
    shows: ['requiredCapabilities'],
  },
  'request.session_unknown': {
    status: 404,
    rpc: -31010,
    says: 'This session has ended, or was never opened for you.',
    fix: 'Open a new one with initialize; clients do so by themselves.',
  },
  'request.stream_unknown': {
    status: 404,
    rpc: -31010,
    says: 'What came after this event is not kept any more.',
    fix: 'Open a stream without Last-Event-ID, and send again what has no answer.',
  },
  'request.too_large': {
    status: 413,
    rpc: -32600,
    limit: 'limits.requestBytes',
    says: 'The request is larger than {limit} bytes.',
    fix: 'Send less, or ask the operator to raise limits.requestBytes.',
  },
  'request.http': {
    status: 400,
    rpc: -32600,
    says: 'The request is not valid HTTP.',
    fix: 'Look at what a proxy in between makes of it.',
  },
  'request.headers_too_large': {
    status: 431,
    rpc: -32600,
    limit: 'limits.headerBytes',
    says: 'The address and the headers of the request are too long together.',
    fix: 'Send a shorter address, fewer headers or shorter ones.',
  },
  'request.timeout': {
    status: 408,
    rpc: -32600,
    limit: 'timeouts.bodyMs',
    says: 'The request did not arrive in time.',
    fix: 'Send the whole request at once.',
  },
  'request.not_read': {
    status: 408,
    rpc: -32600,
    says: 'The client did not read what came before the answer.',
    fix: 'Read the event stream as it comes, or ask for no progress.',
  },
  'request.media_type': {
    status: 415,
    rpc: -32600,
    says: 'The request must be application/json.',
    fix: 'Set Content-Type: application/json.',
  },
  'request.not_acceptable': {
    status: 406,
    rpc: -32600,
    says: 'The client does not accept the kinds of answer MCP has.',
    fix: 'Set Accept: application/json, text/event-stream.',
  },
  'request.host': {
    status: 403,
    rpc: -32600,
    says: 'The Host header names an address this gate does not answer to.',
    fix: 'Use the publicUrl of the gate, or correct publicUrl in its configuration.',
  },
  'request.origin': {
    status: 403,
    rpc: -32600,
    says: 'Requests from this web origin are not allowed.',
    fix: 'If it is yours and calls MCP, let the operator name it in allowedOrigins.',
  },
  'request.repeated': {
    status: 400,
    rpc: -32600,
    says: 'The header {header} stands twice.',
    fix: 'Send it once; see whether a proxy in between adds one of its own.',
  },
  'request.not_found': {
    status: 404,
    rpc: -32601,
    says: 'There is nothing at this address.',
    fix: 'MCP is at /mcp and at /mcp/<server>.',
  },
  'request.http_method': { status: 405, rpc: -32600, says: 'This HTTP method is not used here.', fix: 'Use POST.' },
  'request.cancelled': {
    status: 499,
    rpc: -31008,
    says: 'The request was cancelled.',
    fix: 'Nothing, if that was you.',
  },

  'request.csrf': {
    status: 403,
    rpc: -32600,
    says: 'This form did not come from a page of the gate that is open in this browser.',
    fix: 'Go back, load the page again and send the form once more. Cookies must be allowed for this address.',
  },
} as const satisfies Record<string, ErrorRow>
