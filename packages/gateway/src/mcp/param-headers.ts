import { decodeHeader, encodeHeader } from '../base/header-value.ts'
import { isRecord, type RpcRequest } from '../base/json-rpc.ts'
import { problem } from '../base/problem.ts'
import type { ParamHeader, ParamHeaders } from '../registry/param-headers.ts'

/**
 * Checks that the headers a tool wants say what the arguments say: who is in between believes the one, and the tool
 * the other.
 *
 * @param headers names and values in turn; those that the tool does not want are nobody's business.
 * @throws {Problem} `request.header_mismatch`
 * @see MCP 2026-07-28, basic/transports/streamable-http#server-behavior-for-custom-headers
 */
export function checkParamHeaders(
  request: Pick<RpcRequest, 'paramsValue'>,
  headers: readonly string[],
  paramHeaders: ParamHeaders,
): void {
  for (const wanted of paramHeaders) {
    const sent = headersNamed(wanted, headers)
    const value = valueAt(request, wanted)
    if (sent.length > 1 || !agrees(sent[0], value)) throw problem('request.header_mismatch', { header: wanted.header })
  }
}

/** The headers that a tool wants with this request, names and values in turn, for a client that knows nothing of them. */
export function makeParamHeaders(request: Pick<RpcRequest, 'paramsValue'>, paramHeaders: ParamHeaders): string[] {
  const made: string[] = []
  for (const wanted of paramHeaders) {
    const text = textOf(valueAt(request, wanted))
    if (text !== undefined) made.push(wanted.header, encodeHeader(text))
  }
  return made
}

function headersNamed({ lowerCase }: ParamHeader, headers: readonly string[]): string[] {
  const found: string[] = []
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === lowerCase) found.push(headers[index + 1] ?? '')
  return found
}

/** What stands in the arguments; null is as good as nothing. */
function valueAt({ paramsValue }: Pick<RpcRequest, 'paramsValue'>, { path }: ParamHeader): unknown {
  let value = paramsValue?.['arguments']
  for (const name of path) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value ?? undefined
}

/** What no header can say is left for the server to refuse. */
function agrees(sent: string | undefined, value: unknown): boolean {
  const text = textOf(value)
  if (sent === undefined || text === undefined) return sent === undefined && text === undefined
  const said = decodeHeader(sent)
  if (typeof value === 'number' && said !== undefined && NUMBER.test(said)) return Number(said) === value
  return said === text
}

/** Languages write the same number in different ways. */
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Beyond the safe integers two numbers look like one, so that nothing can be said of them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number' || (!Number.isSafeInteger(value) && !isFraction(value))) return undefined
  return String(value)
}

function isFraction(value: number): boolean {
  return Number.isFinite(value) && !Number.isInteger(value)
}
