import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** Who is signed in at the emulated GitHub, and what it tells of them. */
export interface GitHubAccount {
  id: number
  login: string
  name: string | null
  emails: { email: string; primary: boolean; verified: boolean }[]
  organizations: string[]
}

export interface GitHubSignIn extends AsyncDisposable {
  /** Starts to listen; the address is that of a GitHub Enterprise Server. */
  listen(): Promise<{ url: string }>
  /** May be changed at any time. */
  readonly account: GitHubAccount
}

const CLIENT = { id: 'Iv1.0123456789abcdef', secret: 'c1d2'.repeat(10) }
export const gitHubClient = CLIENT

/** GitHub’s OAuth as far as signing in goes: no ID token, no `iss`, errors with status 200, the API below `/api/v3`. */
export function createGitHubSignIn(): GitHubSignIn {
  const account: GitHubAccount = {
    id: 583_231,
    login: 'octo-ada',
    name: 'Ada Okonkwo',
    emails: [
      { email: 'ada@old.example', primary: false, verified: true },
      { email: 'ada@corp.example', primary: true, verified: true },
    ],
    organizations: ['corp'],
  }
  const tokens = new Set<string>()
  const codes = new Set<string>()
  const chance = (set: Set<string>) => {
    const made = randomBytes(16).toString('hex')
    set.add(made)
    return made
  }

  const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse, url: URL) => unknown>> = {
    '/login/oauth/authorize': (_request, response, { searchParams }) => {
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.search = String(new URLSearchParams({ code: chance(codes), state: searchParams.get('state') ?? '' }))
      response.writeHead(302, { Location: back.href }).end()
    },
    '/login/oauth/access_token': async (request, response) => {
      const form = new URLSearchParams(await text(request))
      const isClient = form.get('client_id') === CLIENT.id && form.get('client_secret') === CLIENT.secret
      if (!isClient) return json(response, 200, { error: 'incorrect_client_credentials' })
      if (!codes.delete(form.get('code') ?? '')) return json(response, 200, { error: 'bad_verification_code' })
      json(response, 200, { access_token: chance(tokens), token_type: 'bearer', scope: 'read:user,user:email' })
    },
    '/api/v3/user': api(() => ({ id: account.id, login: account.login, name: account.name })),
    '/api/v3/user/emails': api(() => account.emails),
    '/api/v3/user/orgs': api(() => account.organizations.map((login) => ({ login }))),
  }

  function api(tell: () => unknown) {
    return (request: IncomingMessage, response: ServerResponse) => {
      const isKnown = tokens.has((request.headers.authorization ?? '').replace(/^Bearer /i, ''))
      json(response, isKnown ? 200 : 401, isKnown ? tell() : { message: 'Bad credentials' })
    }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://github.invalid')
    const route = routes[url.pathname]
    if (route === undefined) json(response, 404, { message: 'Not Found' })
    else void Promise.resolve(route(request, response, url)).catch(() => response.destroy())
  })

  return {
    account,
    async listen() {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
