import { freePort } from './free-port.ts'
import { startGate } from './gate.ts'
import { acceptInvitation, allowClient } from './people.ts'
import { runSuite, type SuiteResult } from './conformance-suite.ts'

/** The scenarios of the suite that a gate as an authorization server has to pass. */
export const AUTHORIZATION_SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant']

const ADDRESS_MS = 120_000

/**
 * Runs the authorization scenarios against a gate of their own: the suite prints an address and waits for somebody
 * to open it, sign in and agree, which a browser without a screen does.
 */
export async function runAuthorization(revision: string): Promise<SuiteResult> {
  const port = await freePort()
  const callbackPort = await freePort()
  const issuer = `http://localhost:${port}`
  const clientId = 'conformance-suite'
  const client = {
    clientId,
    name: 'Conformance suite',
    redirectUris: [`http://127.0.0.1:${callbackPort}/callback`],
  }
  await using gate = await startGate({ port, config: { mcpServers: {}, oauth: { clients: [client] } } })
  const browser = await acceptInvitation(await gate.inviteUser('suite'))
  const words = {
    url: issuer,
    'client-id': clientId,
    resource: `${issuer}/mcp`,
    port: String(callbackPort),
    'spec-version': revision,
  }
  return await runSuite({
    args: ['authorization', ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, value])],
    async meanwhile(suite) {
      const [, address = ''] = await suite.match(/^(http\S+\/authorize\?\S+)$/m, ADDRESS_MS)
      await allowClient(browser, new URL(address), 'suite')
    },
  })
}
