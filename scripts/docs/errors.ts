import type { ErrorRow } from '../../packages/gateway/src/base/error-row.ts'
import { errors } from '../../packages/gateway/src/base/errors.ts'
import { code, heading, table } from './markdown.ts'

/** One heading for each code, so that an error's link (`errors.md#` and the code without its dot) finds it. */
export function errorsPage(): string {
  const intro =
    'Every failure has a code. The same row is shown on every wire: as an HTTP status with `{"error": {"code", "message", ' +
    '"details"}}`, as a JSON-RPC error, and where it is about a bearer token as the `error` of the challenge (RFC 6750 §3.1). ' +
    'Words in braces are filled in.'
  return heading('Errors', intro) + Object.entries<ErrorRow>(errors).map(section).join('\n')
}

function section([name, { status, rpc, oauth, says, fix }]: [string, ErrorRow]): string {
  const wires = [
    ['HTTP', String(status)],
    ['JSON-RPC', String(rpc)],
    ...(oauth === undefined ? [] : [['Bearer challenge', code(oauth)]]),
  ]
  return `## ${name}\n\n${says}\n\n**What to do:** ${fix}\n\n${table(['Wire', 'Shows'], wires)}`
}
