import { expect, test } from 'vitest'
import { requireConfig } from '../../src/config/load.ts'
import { shippedDefinitions } from '../../src/providers/definitions.ts'

function providerOf(entry: object) {
  const text = JSON.stringify({ providers: { 'github-app': { clientId: 'x', ...entry } } })
  const source = { file: '/etc/sekisho/sekisho.jsonc', text, environment: {}, dataDirectory: '/data' }
  return requireConfig({ ...source, definitions: shippedDefinitions }).config.providers['github-app']
}

test('a provider at another place is sent no token where those of the definition’s own belong', () => {
  expect(providerOf({})).toMatchObject({ apiBaseUrl: 'https://api.github.com', account: { name: 'login' } })
  const elsewhere = { tokenUrl: 'https://git.example.com/login/oauth/access_token' }
  const moved = providerOf(elsewhere)
  expect(moved).toMatchObject({ name: 'GitHub', pkce: 'S256', ...elsewhere })
  expect(JSON.stringify({ ...moved, help: undefined, docs: undefined, authorizationUrl: undefined })).not.toContain(
    'github.com',
  )
  const account = { url: 'https://git.example.com/api/user', name: 'login' }
  expect(providerOf({ ...elsewhere, account })).toMatchObject({ account })
  expect(providerOf({ tokenUrl: 'https://github.com/other' })).toMatchObject({ account: { name: 'login' } })
})
