import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import type { Scene } from './scene.ts'

export const ISSUER = 'https://idp.test'

/** What an issuer signs with, and what it publishes of that. */
export function createKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] }
  return { kid, publicKey, privateKey, jwks }
}

/** An identity provider of an enterprise, as far as a gate that trusts it sees it. */
export function createIssuer(issuer = ISSUER) {
  const { kid, publicKey, privateKey, jwks } = createKeys()
  const asked: string[] = []
  let said: object = { issuer, jwks_uri: `${issuer}/keys` }
  const documents = (): Readonly<Record<string, object>> => ({
    [`${issuer}/.well-known/openid-configuration`]: said,
    [`${issuer}/keys`]: jwks,
  })
  return {
    kid,
    privateKey,
    publicKey,
    /** The addresses that were asked for. */
    asked,
    /** Says something else of itself from now on. */
    claim(metadata: object): void {
      said = metadata
    },
    fetch(input: string | URL | Request): Promise<Response> {
      const url = input instanceof Request ? input.url : input.toString()
      asked.push(url)
      const found = documents()[url]
      return Promise.resolve(found === undefined ? new Response('', { status: 404 }) : Response.json(found))
    },
    /** An assertion as it should be, but for what is said otherwise. */
    assert(scene: Scene, clientId: string, { claims = {}, header = {}, key = privateKey }: Otherwise = {}): string {
      const now = Math.floor(scene.clock.now() / 1000)
      const usual = {
        iss: issuer,
        sub: 'u-1',
        aud: scene.publicUrl,
        client_id: clientId,
        jti: randomUUID(),
        iat: now,
        exp: now + 300,
        resource: `${scene.publicUrl}/mcp`,
        scope: 'mcp',
      }
      return signJwt({ typ: 'oauth-id-jag+jwt', alg: 'ES256', kid, ...header }, { ...usual, ...claims }, key)
    },
  }
}
export type Issuer = ReturnType<typeof createIssuer>

export interface Otherwise {
  readonly claims?: object
  readonly header?: object
  readonly key?: KeyObject
}

export function signJwt(header: object, claims: object, key: KeyObject): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** A client with a secret, that may present assertions. */
export async function registerConfidential(scene: Scene): Promise<Confidential> {
  const { body } = await scene.register({
    client_name: 'An enterprise client',
    redirect_uris: ['https://app.test/cb'],
    grant_types: ['authorization_code', JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const clientId = String(body['client_id'])
  const clientSecret = String(body['client_secret'])
  const text = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  return { clientId, clientSecret, headers: { authorization: `Basic ${text}` } }
}

export interface Confidential {
  readonly clientId: string
  readonly clientSecret: string
  readonly headers: Record<string, string>
}

export function exchange(
  scene: Scene,
  { headers }: Pick<Confidential, 'headers'>,
  assertion: string,
  more: Record<string, string> = {},
) {
  return scene.post('/token', { grant_type: JWT_BEARER, assertion, ...more }, headers)
}
