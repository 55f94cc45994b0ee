import { readOptions, stop } from '../arguments.ts'
import { createIdentityEmulator } from './emulator.ts'
import { defaultClient } from './options.ts'
import { identityUsers } from './users.ts'

const HELP = `An OpenID provider, emulated: its people are invented and have no passwords.

Usage: bin.ts [options]

  --port 3003                       where it listens (PORT); 0 is any that is free
  --host 127.0.0.1                  the address it binds
  --gate http://localhost:7354      the gate whose people sign in with it
  --provider playground             what the gate calls it, in signIn.with
  --help                            shows this text
`

const options = readOptions(HELP, {
  port: { type: 'string', default: process.env['PORT'] ?? '3003' },
  host: { type: 'string', default: '127.0.0.1' },
  gate: { type: 'string', default: 'http://localhost:7354' },
  provider: { type: 'string', default: 'playground' },
})

const client = defaultClient(options.gate, options.provider)
const identity = await createIdentityEmulator({ host: options.host, clients: [client] })
const { url } = await identity.listen(Number(options.port)).catch(stop)

console.log(`An OpenID provider, emulated, on ${url}

In sekisho.jsonc:
  "signIn": { "with": { "${options.provider}": {
    "label": "the playground", "issuer": "${url}", "createUsers": true,
    "clientId": "${client.id}", "clientSecret": "${client.secret}"
  } } }
`)
for (const { username, name, email, groups } of identityUsers)
  console.log(`${username.padEnd(6)} ${name.padEnd(16)} ${email.padEnd(24)} ${groups.join(', ')}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void identity.close())
