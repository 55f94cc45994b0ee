import { parseArgs } from 'node:util'
import { createIdentityEmulator } from './emulator.ts'
import { defaultClient } from './options.ts'
import { identityUsers } from './users.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['PORT'] ?? '3003' },
    host: { type: 'string', default: '127.0.0.1' },
    gate: { type: 'string', default: 'http://localhost:7354' },
    provider: { type: 'string', default: 'playground' },
  },
})

const client = defaultClient(values.gate, values.provider)
const identity = await createIdentityEmulator({ host: values.host, clients: [client] })
const { url } = await identity.listen(Number(values.port))

console.log(`An OpenID provider, emulated, on ${url}

In sekisho.jsonc:
  "signIn": { "with": { "${values.provider}": {
    "label": "the playground", "issuer": "${url}", "createUsers": true,
    "clientId": "${client.id}", "clientSecret": "${client.secret}"
  } } }
`)
for (const { username, name, email, groups } of identityUsers)
  console.log(`${username.padEnd(6)} ${name.padEnd(16)} ${email.padEnd(24)} ${groups.join(', ')}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void identity.close())
