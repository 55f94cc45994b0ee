import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type Provider from 'oidc-provider'
import { identityUsers } from './users.ts'

const PATH = /^\/interaction\/[\w-]+$/

/**
 * The page on which people sign in: a button for each, no password. Answers whether the request was one for it.
 */
export async function answerSignIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  if (!PATH.test(path)) return false
  if (request.method !== 'POST') {
    await provider.interactionDetails(request, response)
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(signInPage(path))
    return true
  }
  const choice = new URLSearchParams(await text(request)).get('user')
  const user = identityUsers.find(({ username }) => username === choice)
  const result =
    user === undefined
      ? { error: 'access_denied', error_description: 'nobody signed in' }
      : { login: { accountId: user.sub, amr: [...user.amr] } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  return true
}

function signInPage(path: string): string {
  const buttons = identityUsers.map(
    ({ username, name, email }) =>
      `<p><button name="user" value="${username}">Sign in as ${name}</button> ${email}</p>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Identity provider, emulated</title></head>
<body><main><h1>Who are you?</h1><form method="post" action="${path}">${buttons.join('\n')}
<p><button name="user" value="">Cancel</button></p></form></main></body></html>`
}
