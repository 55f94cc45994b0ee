/**
 * Any text as the value of an HTTP header. What cannot stand there, or would be taken for an encoded value, is written
 * as base64.
 *
 * @see MCP 2026-07-28, basic/transports/streamable-http#value-encoding
 */
export function encodeHeader(text: string): string {
  if (PLAIN.test(text) && !(text.startsWith(MARK) && ENCODED.test(text))) return text
  return `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** Printable ASCII that neither begins nor ends with a space: those at the ends are lost on the way. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
/** Hardly any begins like this, and a look costs less than to match. */
const MARK = '=?base64?'
const ENCODED = /^=\?base64\?(.*)\?=$/

/** The text that such a value stands for; `undefined` where it says it is base64, and is not. */
export function decodeHeader(value: string): string | undefined {
  const encoded = value.startsWith(MARK) ? ENCODED.exec(value)?.[1] : undefined
  if (encoded === undefined) return value
  const bytes = Buffer.from(encoded, 'base64')
  // Node reads past what is no base64; only what is written the same way again was.
  return bytes.toString('base64') === encoded ? bytes.toString() : undefined
}
