import { generateKeyPairSync, randomUUID } from 'node:crypto'
import {
  auth,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  PrivateKeyJwtProvider,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client'
import { expect, test } from 'vitest'
import type { UserId } from '../../src/base/ids.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { createIssuer, ISSUER, registerConfidential } from './issuer.ts'
import { openAlone, type Scene } from './scene.ts'

/** The official SDK finds everything by itself, given the address of a server. */
async function signIn(scene: Scene, provider: OAuthClientProvider) {
  const serverUrl = `${scene.publicUrl}/mcp/github`
  expect(await auth(provider, { serverUrl })).toBe('AUTHORIZED')
  const tokens = await provider.tokens()
  return scene.server.verify(tokens?.access_token ?? '')
}

test('the official SDK signs an agent in by its secret', async () => {
  const scene = await openAlone()
  const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'nightly' })
  const provider = new ClientCredentialsProvider({
    clientId: agent.clientId,
    clientSecret: clientSecret?.reveal() ?? '',
    expectedIssuer: scene.publicUrl,
  })
  expect(await signIn(scene, provider)).toMatchObject({ userName: 'nightly', scopes: ['mcp:github'] })
})

test('the official SDK signs an agent in by its keys', async () => {
  const scene = await openAlone()
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [publicKey.export({ format: 'jwk' }) as Record<string, string>] }
  const { agent } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'signer', jwks })
  const provider = new PrivateKeyJwtProvider({
    clientId: agent.clientId,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    algorithm: 'ES256',
    expectedIssuer: scene.publicUrl,
  })
  expect(await signIn(scene, provider)).toMatchObject({ userName: 'signer', scopes: ['mcp:github'] })
})

test('the official SDK brings an assertion of an enterprise’s identity provider', async () => {
  const issuer = createIssuer()
  const clients: string[] = []
  const users: UserId[] = []
  const scene = await openAlone({
    oauth: { trustedIssuers: [{ issuer: ISSUER, clients, subjects: {} }] },
    fetchFromIssuers: issuer.fetch,
    userOf: () => Promise.resolve(users[0] && { tenant: DEFAULT_TENANT, userId: users[0] }),
  })
  users.push((await scene.addUser()).id)
  const client = await registerConfidential(scene)
  clients.push(client.clientId)
  const provider = new CrossAppAccessProvider({
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    expectedIssuer: scene.publicUrl,
    assertion: ({ authorizationServerUrl: aud, resourceUrl: resource }) =>
      issuer.assert(scene, client.clientId, { claims: { aud, resource, jti: randomUUID() } }),
  })
  expect(await signIn(scene, provider)).toMatchObject({ userId: users[0], scopes: ['mcp:github'] })
})
