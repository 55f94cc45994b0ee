import { auth as authV2, type OAuthClientProvider as ProviderV2 } from '@modelcontextprotocol/client'
import { auth as authV1, type OAuthClientProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { expect, test } from 'vitest'
import { createBrowser } from './browser.ts'
import { authorize, openAlone, REDIRECT } from './scene.ts'

/** What a program on the user's machine keeps between the steps of its sign-in. */
function createClient(clientMetadataUrl?: string) {
  const kept = new Map<string, unknown>()
  const sent: URL[] = []
  return {
    kept,
    sent,
    provider: {
      redirectUrl: REDIRECT,
      clientMetadata: { client_name: 'An SDK', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
      ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
      clientInformation: () => kept.get('client'),
      saveClientInformation: (client: unknown) => void kept.set('client', client),
      tokens: () => kept.get('tokens'),
      saveTokens: (tokens: unknown) => void kept.set('tokens', tokens),
      redirectToAuthorization: (url: URL) => void sent.push(url),
      saveCodeVerifier: (verifier: string) => void kept.set('verifier', verifier),
      saveDiscoveryState: (state: unknown) => void kept.set('discovery', state),
      discoveryState: () => kept.get('discovery'),
      codeVerifier: () => String(kept.get('verifier')),
    },
  }
}

type Step = { serverUrl: string; authorizationCode?: string; iss?: string }

const sdks: Record<string, (provider: unknown, step: Step) => Promise<string>> = {
  'version 1': (provider, step) => authV1(provider as ProviderV1, step),
  'version 2': (provider, step) => authV2(provider as ProviderV2, step),
}

test.each(Object.keys(sdks))(
  'the official SDK, %s, signs its user in and refreshes, by any name of loopback',
  async (name) => {
    const scene = await openAlone()
    const user = await scene.addUser()
    const auth = sdks[name]
    if (auth === undefined) throw new Error(name)
    for (const host of ['localhost', '127.0.0.1']) {
      const client = createClient()
      const serverUrl = `http://${host}:${scene.port}/mcp/github`
      expect(await auth(client.provider, { serverUrl })).toBe('REDIRECT')
      const url = client.sent.at(-1)
      expect(url?.origin).toBe(scene.publicUrl)
      const { answer } = await authorize(scene, createBrowser(), user, url ?? new URL(scene.publicUrl))
      const [authorizationCode = '', iss = ''] = ['code', 'iss'].map((each) => answer.searchParams.get(each) ?? '')
      expect(await auth(client.provider, { serverUrl, authorizationCode, iss })).toBe('AUTHORIZED')
      const read = () => client.kept.get('tokens') as { access_token: string; refresh_token: string }
      const before = read()
      expect(await scene.server.verify(before.access_token)).toMatchObject({
        userId: user.id,
        scopes: ['mcp:github'],
      })
      expect(await auth(client.provider, { serverUrl })).toBe('AUTHORIZED')
      expect(read().refresh_token).not.toBe(before.refresh_token)
      expect(await scene.server.verify(read().access_token)).toBeDefined()
    }
  },
)
