import { problem } from '../base/problem.ts'

/** A service whose users paste a token of their own. */
export interface ServiceToken {
  /** Its id, under which the vault keeps the tokens. */
  readonly service: string
  readonly name: string
  /** How a user gets a token, for people. */
  readonly instructions: string
  readonly helpUrl?: string | undefined
  /** Found in every token of the service. Neither global nor sticky, so that it keeps no state. */
  readonly format?: RegExp | undefined
}

const LONGEST = 4_096

/**
 * Tokens go into headers and environments, where a line break would begin another header: so printable
 * ASCII only, which is also all that a bearer token may be, and no space at either end. Some go into paths,
 * where dots alone would lead elsewhere.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}
 */
const PRINTABLE = /^(?!\.+$)[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** @throws {Problem} `token.format`, which does not repeat the token */
export function checkToken({ name, instructions, format }: ServiceToken, token: string): void {
  const fits = token.length <= LONGEST && PRINTABLE.test(token) && (format === undefined || format.test(token))
  if (!fits) throw problem('token.format', { service: name, instructions })
}
