import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type Provider from 'oidc-provider'
import { pageHeaders } from '../page.ts'
import { page } from './layout.ts'
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
    response.writeHead(200, pageHeaders).end(signInPage(path))
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
  const cancel = '<p><button name="user" value="">Cancel</button></p>'
  return page('Who are you?', `<form method="post" action="${path}">${buttons.join('\n')}\n${cancel}</form>`)
}
