import type { ErrorRow } from './error-row.ts'

/**
 * Every failure a person can meet, once. A row says whose fault it is (`status`, `rpc`, `oauth` are what
 * each wire shows), what happened (`says`) and what to do (`fix`). `{words in braces}` are filled from the
 * details given to `problem()`; whatever else the details hold stays in the log.
 *
 * JSON-RPC codes of our own lie outside -32768…-32000, which the protocol keeps for itself.
 * @see the MCP specification 2026-07-28, basic/index#error-codes
 */
export const errors = {
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
  'request.too_large': {
    status: 413,
    rpc: -32600,
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
    says: 'The address and the headers of the request are too long together.',
    fix: 'Send a shorter address, fewer headers or shorter ones.',
  },
  'request.timeout': {
    status: 408,
    rpc: -32600,
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
    fix: 'If it is yours, name it in allowedOrigins: its requests are let in then, but no CORS headers are sent yet.',
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

  'auth.required': {
    status: 401,
    rpc: -31001,
    oauth: undefined,
    says: 'This needs an API key.',
    fix: 'Send Authorization: Bearer with a key made by `sekisho key add`.',
  },
  'auth.invalid': {
    status: 401,
    rpc: -31001,
    oauth: 'invalid_token',
    says: 'The API key is unknown, expired or revoked.',
    fix: 'Make a new one with `sekisho key add`.',
  },
  'auth.forbidden': {
    status: 403,
    rpc: -31002,
    oauth: 'insufficient_scope',
    says: 'This API key may not do that: it needs the scope {scope}.',
    fix: 'Make a key with that scope, with `sekisho key add --scope`.',
  },
  'auth.role': {
    status: 403,
    rpc: -31002,
    says: 'This needs the role {role}.',
    fix: 'Ask an administrator of the gate.',
  },
  'auth.operator': {
    status: 403,
    rpc: -31002,
    says: 'Another user’s log is shown to the operator only.',
    fix: 'Let that user ask, or run `sekisho logs {server} --user` where the gate runs, as the owner of its data.',
  },

  'limit.rate': {
    status: 429,
    rpc: -31003,
    says: 'Too many calls; try again in {seconds} s.',
    fix: 'Call less often, or ask the operator to raise limits.callsPerMinute.',
  },
  'limit.concurrency': {
    status: 429,
    rpc: -31003,
    says: 'Too many calls at once.',
    fix: 'Wait for earlier calls to end, or ask the operator to raise limits.concurrentCalls.',
  },

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

  'token.required': {
    status: 403,
    rpc: -31005,
    says: '{server} needs your own {service} token and has none.',
    fix: '{instructions}',
  },
  'token.format': {
    status: 400,
    rpc: -31005,
    says: 'This does not look like a {service} token.',
    fix: '{instructions}',
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

  'user.exists': {
    status: 409,
    rpc: -32602,
    says: 'There is already a user called {user}.',
    fix: 'Choose another name.',
  },
  'user.unknown': {
    status: 404,
    rpc: -32602,
    says: 'There is no user called {user}.',
    fix: 'See `sekisho user list`.',
  },
  'user.last_owner': {
    status: 409,
    rpc: -32602,
    says: 'This is the last owner; the gate needs one.',
    fix: 'Make another user an owner first.',
  },
  'key.unknown': { status: 404, rpc: -32602, says: 'There is no API key {key}.', fix: 'See `sekisho key list`.' },
  'token.unknown': {
    status: 404,
    rpc: -32602,
    says: '{user} has no token for {server}.',
    fix: 'See `sekisho token list`.',
  },
  'token.not_used': {
    status: 400,
    rpc: -32602,
    says: '{server} takes no token of its users.',
    fix: 'Use {"$userToken": …} in its configuration first.',
  },

  'config.invalid': {
    status: 500,
    rpc: -32603,
    says: 'The configuration has problems:\n{problems}',
    fix: 'Correct them and run `sekisho check`.',
  },
  'storage.in_use': {
    status: 500,
    rpc: -32603,
    says: 'Another gate is running on {file}.',
    fix: 'Stop it first, or give this one a data directory of its own with SEKISHO_DATA.',
  },
  'storage.unreachable': {
    status: 503,
    rpc: -32603,
    says: 'The database cannot be reached.',
    fix: 'Check DATABASE_URL and that the database runs.',
  },
  'storage.newer': {
    status: 500,
    rpc: -32603,
    says: 'The database was written by a newer version of Sekisho ({migration}).',
    fix: 'Start that version, or restore the copy made before its migration.',
  },
  'vault.root_key_missing': {
    status: 500,
    rpc: -32603,
    says: 'The database holds sealed credentials, and their root key is not at {place}.',
    fix: 'Put the root key back, or set SEKISHO_ROOT_KEY. Without it they cannot be opened by anybody.',
  },
  'vault.root_key_wrong': {
    status: 500,
    rpc: -32603,
    says: 'The root key from {place} does not open this database. Nothing was changed.',
    fix: 'Use the root key this database was made with.',
  },
  'vault.root_key_malformed': {
    status: 500,
    rpc: -32603,
    says: 'The root key from {place} is not 32 bytes in base64.',
    fix: 'Make one with `openssl rand -base64 32`, or remove it to have one made at the first start.',
  },
  'vault.unreadable': {
    status: 500,
    rpc: -32603,
    says: 'A stored credential cannot be opened.',
    fix: 'Set it again; the log says which under this request id.',
  },
  'audit.full': {
    status: 503,
    rpc: -31007,
    says: 'The audit log cannot be written, and nothing is done or answered without a record.',
    fix: 'Try again soon; the operator finds the reason in the log, as audit.write_failed.',
  },
  'gate.not_running': {
    status: 503,
    rpc: -32603,
    says: 'No gate is running with the data directory {directory}.',
    fix: 'Start it with `npm start`, or name its directory with SEKISHO_DATA.',
  },
  'gate.unreachable': {
    status: 503,
    rpc: -32603,
    says: 'The gate at {url} cannot be reached ({reason}).',
    fix: 'Check the address, and that the gate runs.',
  },
  'gate.socket_unsafe': {
    status: 500,
    rpc: -32603,
    says: 'The directory {directory} is not this user’s alone, so a socket in it cannot be trusted.',
    fix: 'Remove it or take the rights of others away, or choose another data directory with SEKISHO_DATA.',
  },
  'gate.port_taken': {
    status: 500,
    rpc: -32603,
    says: 'Port {port} is already in use.',
    fix: 'Stop what uses it, or choose another with SEKISHO_PORT or listen.port.',
  },
  'cli.key_missing': {
    status: 401,
    rpc: -32603,
    says: 'A gate that is reached by its address needs an API key.',
    fix: 'Put the key into SEKISHO_KEY, or into a file and name that with --key-file.',
  },
  'cli.file_unreadable': {
    status: 400,
    rpc: -32603,
    says: 'The file {file} cannot be read.',
    fix: 'Check its name and who may read it.',
  },
  'cli.token_missing': {
    status: 400,
    rpc: -32603,
    says: 'No token was given.',
    fix: 'Pipe it into the command, or run the command in a terminal and type it.',
  },
  'gate.stopping': { status: 503, rpc: -31007, says: 'The gate is stopping.', fix: 'Try again in a few seconds.' },
  'gate.fault': {
    status: 500,
    rpc: -32603,
    says: 'Something went wrong inside the gate.',
    fix: 'Try again; if it stays, report it with the request id.',
  },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errors
