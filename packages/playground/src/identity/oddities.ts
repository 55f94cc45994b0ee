import { decodeJwt, type JWTPayload } from 'jose'
import type { Keys, Signing } from './keys.ts'
import type { Oddity } from './options.ts'

/** What each oddity makes of the claims of an ID token that was right. */
const CLAIMS: Readonly<Partial<Record<Oddity, (claims: JWTPayload) => JWTPayload>>> = {
  'wrong-iss': (claims) => ({ ...claims, iss: 'https://evil.example' }),
  'wrong-aud': (claims) => ({ ...claims, aud: 'somebody-else' }),
  'wrong-azp': (claims) => ({ ...claims, aud: [String(claims.aud), 'somebody-else'], azp: 'somebody-else' }),
  'wrong-nonce': (claims) => ({ ...claims, nonce: 'another-nonce' }),
  'no-nonce': ({ nonce: _nonce, ...claims }) => claims,
  expired: (claims) => ({ ...claims, iat: seconds(-7_200), exp: seconds(-3_600) }),
  'from-the-future': (claims) => ({ ...claims, nbf: seconds(3_600) }),
  'old-auth-time': (claims) => ({ ...claims, auth_time: seconds(-86_400) }),
  'changed-sub': (claims) => ({ ...claims, sub: `${claims.sub}-once-more` }),
}

const SIGNED: Readonly<Partial<Record<Oddity, Signing>>> = {
  'alg-none': 'none',
  'alg-hs256': 'HS256',
  'unknown-key': 'stranger',
}

/** Makes an ID token that was right into one that is not. */
export async function spoil(idToken: string, oddity: Oddity, keys: Keys): Promise<string> {
  const change = CLAIMS[oddity] ?? ((claims) => claims)
  return keys.sign(change(decodeJwt(idToken)), { how: SIGNED[oddity] ?? 'RS256' })
}

/** Makes the address that a browser is sent back to into one that is not right. */
export function spoilAnswer(location: string, oddity: Oddity, foreignCode: string | undefined): string {
  const url = new URL(location)
  if (!url.searchParams.has('code')) return location
  if (oddity === 'no-iss-parameter') url.searchParams.delete('iss')
  if (oddity === 'wrong-iss-parameter') url.searchParams.set('iss', 'https://evil.example')
  if (oddity === 'foreign-code' && foreignCode !== undefined) url.searchParams.set('code', foreignCode)
  return url.href
}

function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow
}
