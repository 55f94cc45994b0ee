import type { ErrorRow } from '../error-row.ts'

/** Failures of running a gate: configuration, storage, keys, the command line, connections to the world. */
export const operationErrors = {
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
    fix: 'Start it with `sekisho start` (in the repository `npm start`), or name its directory with SEKISHO_DATA.',
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
  'gate.overloaded': {
    status: 503,
    rpc: -31007,
    limit: 'limits.requestsInFlight',
    says: 'The gate has more to do than it can at this moment.',
    fix: 'Try again in {seconds} s; the operator sees in sekisho_refused_total which limit was reached.',
  },
  'gate.stopping': { status: 503, rpc: -31007, says: 'The gate is stopping.', fix: 'Try again in a few seconds.' },
  'gate.fault': {
    status: 500,
    rpc: -32603,
    says: 'Something went wrong inside the gate.',
    fix: 'Try again; if it stays, report it with the request id.',
  },

  'outbound.refused': {
    status: 400,
    rpc: -32602,
    says: 'The gate does not connect to {host}: {reason}.',
    fix: 'Use a public https address, or let the operator name the host in outbound.allowedHosts.',
  },
  'outbound.failed': {
    status: 502,
    rpc: -31006,
    says: '{host} cannot be reached.',
    fix: 'Check the address, and that the server there runs.',
  },
  'outbound.timeout': {
    status: 504,
    rpc: -31006,
    says: '{host} did not answer in time.',
    fix: 'Try again later.',
  },
  'outbound.too_large': {
    status: 502,
    rpc: -31006,
    says: '{host} gave an answer larger than {limit} bytes.',
    fix: 'Check the address: this is not the document that belongs there.',
  },
  'shared.unreachable': {
    status: 503,
    rpc: -31007,
    says: 'What the processes of this gate share cannot be reached.',
    fix: 'Try again soon; the operator finds the reason in the log.',
  },
  'shared.gone': {
    status: 502,
    rpc: -31009,
    says: 'The process of the gate that this needs is gone.',
    fix: 'Begin again from the start.',
  },
} as const satisfies Record<string, ErrorRow>
