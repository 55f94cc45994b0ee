import { createHash } from 'node:crypto'
import type { Random } from '../options.ts'

/** What a code or a refresh token looks like: the encrypted text of league/oauth2-server, always `def502` and hex. */
export function mintOpaque(random: Random, bytes: number): string {
  return `def50200${random(bytes).toString('hex')}`
}

/** Long enough to meet whoever keeps a token in a column of 255 characters. */
export const codeBytes = 360
export const refreshTokenBytes = 496

/** An access token that looks like a JWT of about 1,000 bytes; its signature is chance, nobody is meant to verify it. */
export function mintAccessToken(
  random: Random,
  claims: { clientId: string; userId: number; issuedAt: number; expiresAt: number },
): string {
  const jti = random(40).toString('hex')
  const head = { typ: 'JWT', alg: 'RS256', jti }
  const body = {
    aud: claims.clientId,
    jti,
    iat: claims.issuedAt,
    nbf: claims.issuedAt,
    exp: claims.expiresAt,
    sub: String(claims.userId),
    scopes: [],
  }
  return [encode(JSON.stringify(head)), encode(JSON.stringify(body)), random(384).toString('base64url')].join('.')
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** The key a code or a token is kept under, so that the store holds none of them. */
export function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
