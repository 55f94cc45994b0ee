import { isIP } from 'node:net'

/**
 * Whether a gate at this address can have passkeys: they belong to a name, and browsers make them where nobody else can
 * read along. An address of numbers is no name, which leaves `localhost` of the names of loopback.
 *
 * @see {@link https://www.w3.org/TR/webauthn-3/#relying-party-identifier WebAuthn §4, RP ID}
 */
export function mayHavePasskeys({ protocol, hostname }: URL): boolean {
  const isSecure = protocol === 'https:' || hostname === 'localhost' || hostname.endsWith('.localhost')
  return isSecure && isIP(hostname) === 0 && !hostname.startsWith('[')
}
