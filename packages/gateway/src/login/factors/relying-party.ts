import { mayHavePasskeys } from '../../base/passkey-host.ts'

/** Whom passkeys are made for. */
export interface RelyingParty {
  /** The name of the host, without scheme and port. */
  readonly id: string
  readonly name: string
  readonly origin: string
}

/** The relying party of a gate at an address; none where there can be no passkeys. */
export function relyingPartyAt(publicUrl: string): RelyingParty | undefined {
  const url = new URL(publicUrl)
  return mayHavePasskeys(url) ? { id: url.hostname, name: 'Sekisho', origin: url.origin } : undefined
}
