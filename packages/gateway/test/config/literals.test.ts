import { expect, test } from 'vitest'
import { literalSecrets } from '../../src/config/literals.ts'
import { loadConfig } from '../../src/config/load.ts'
import { showPath } from '../../src/config/report.ts'

const found = (server: object) => literalSecrets({ ...server }).map(showPath)

test('what is a secret by its name is found where it stands as a text', () => {
  const headers = { Authorization: 'Bearer abc', 'X-Api-Key': 'abc', Cookie: 'a=b', 'X-Team': 'core', 'X-Pat': 'abc' }
  expect(found({ headers })).toEqual(['headers.Authorization', 'headers.X-Api-Key', 'headers.Cookie', 'headers.X-Pat'])
  const env = { GITHUB_TOKEN: 'abc', DB_PASSWORD: 'abc', AWS_SECRET_ACCESS_KEY: 'abc', PGPASSWD: 'abc', HOME: '/root' }
  expect(found({ env })).toEqual(['env.GITHUB_TOKEN', 'env.DB_PASSWORD', 'env.AWS_SECRET_ACCESS_KEY', 'env.PGPASSWD'])
  const args = ['--api-key=abc', '--token', 'abc', '--verbose', '--secret', '--other', 'token', 'abc', '--password=']
  expect(found({ args })).toEqual(['args[0]', 'args[2]'])
  expect(found({ url: 'https://mcp.example.com/mcp?apiKey=abc&team=core' })).toEqual(['url'])
})

test('what a variable or the user gives is none, nor what only tells about secrets', () => {
  const given = [{ $env: 'TOKEN' }, { $userToken: '{{token}}' }, '', 'true', '4096']
  for (const value of given) expect(found({ env: { TOKEN: value }, args: ['--token', value] })).toEqual([])
  const names = [
    'TOKEN_FILE',
    'TOKEN_URL',
    'MAX_TOKENS',
    'SECRET_NAME',
    'API_KEY_HEADER',
    'CLIENT_ID',
    'PATTERN',
    'AUTHOR',
  ]
  for (const name of names) expect(found({ env: { [name]: 'some text' } })).toEqual([])
  expect(found({ url: 'https://mcp.example.com/token/mcp?team=core' })).toEqual([])
  expect(found({ url: 'no url', headers: [], env: 'TOKEN', args: 'x' })).toEqual([])
})

test('a file is taken with them and warned of, in words without the value; a server that is disabled as well', () => {
  const server = { command: 'node', env: { GITHUB_TOKEN: 'ghp_hidden' } }
  const text = JSON.stringify({ mcpServers: { one: server, two: { ...server, disabled: true } } })
  const loaded = loadConfig({ file: '/sekisho.jsonc', text, environment: {}, dataDirectory: '/data' })
  expect(loaded.ok).toBe(true)
  expect(loaded.warnings.map(({ path, reason }) => `${path} ${reason}`)).toEqual(
    ['one', 'two'].map(
      (name) => `mcpServers.${name}.env.GITHUB_TOKEN is a secret that whoever reads this file can use`,
    ),
  )
  expect(JSON.stringify(loaded.warnings)).not.toContain('ghp_hidden')
})
