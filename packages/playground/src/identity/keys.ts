import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'

/** How a token is signed: as it should be, or in a way that must not be believed. */
export type Signing = 'RS256' | 'none' | 'HS256' | 'stranger'

/** Making one takes longer than a sign-in: each is made once, and every provider of this process signs with it. */
const pairs = new Map<string, ReturnType<typeof generateKeyPair>>()

/** The provider's key, and every way to sign with it that a relying party may meet. */
export async function createKeys(clientSecret: string) {
  const own = await pairOf('own')
  const stranger = await pairOf('stranger')
  const kid = randomUUID()
  const jwk = { ...(await exportJWK(own.privateKey)), kid, alg: 'RS256', use: 'sig' }

  return {
    jwks: { keys: [jwk] },

    sign(claims: JWTPayload, { how = 'RS256', typ }: { readonly how?: Signing; readonly typ?: string } = {}) {
      if (how === 'none') return Promise.resolve(new UnsecuredJWT(claims).encode())
      const type = typ === undefined ? {} : { typ }
      if (how === 'HS256') {
        // The key confusion: what is public, or known to the application, taken for a shared secret.
        return new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', kid, ...type })
          .sign(new TextEncoder().encode(clientSecret))
      }
      const key = how === 'stranger' ? stranger.privateKey : own.privateKey
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, ...type }).sign(key)
    },
  }
}
export type Keys = Awaited<ReturnType<typeof createKeys>>

function pairOf(whom: string): ReturnType<typeof generateKeyPair> {
  const pair = pairs.get(whom) ?? generateKeyPair('RS256', { extractable: true })
  pairs.set(whom, pair)
  return pair
}
