import { createGitHubSignIn, gitHubClient } from '@sekisho/playground/identity/github'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import { openHouse, type House } from './house.ts'

/** GitHub has no ID token: who somebody is, its API says. R3-32a. */

describe('signing in with GitHub', () => {
  test('is by its id, so that a login that became somebody else’s opens nothing', async () => {
    await using github = createGitHubSignIn()
    await using house = await openWith(github, { createUsers: true })
    await come(house)
    github.account.login = 'renamed'
    expect(await house.whoIs((await come(house)).browser)).toBe('octo-ada')
    Object.assign(github.account, { id: 999, login: 'octo-ada' })
    expect(await house.whoIs((await come(house)).browser)).toBe('octo-ada-2')
    expect(await house.users.list(DEFAULT_TENANT)).toHaveLength(2)
  })

  test('counts the primary address, where it is verified', async () => {
    await using github = createGitHubSignIn()
    await using house = await openWith(github, { createUsers: true, emailDomains: ['corp.example'] })
    expect((await come(house)).page.status).toBe(200)
    Object.assign(github.account, { id: 2, emails: [{ email: 'x@corp.example', primary: true, verified: false }] })
    expect((await come(house)).page.text).toMatch(/no verified email address/)
    const emails = [
      { email: 'x@corp.example', primary: false, verified: true },
      { email: 'x@elsewhere.example', primary: true, verified: true },
    ]
    Object.assign(github.account, { id: 3, emails })
    expect((await come(house)).page.text).toMatch(/domain that is not let in/)
  })

  test('lets in the members of an organization', async () => {
    await using github = createGitHubSignIn()
    await using house = await openWith(github, { createUsers: true, groups: ['corp'] })
    expect((await come(house)).page.status).toBe(200)
    Object.assign(github.account, { id: 2, organizations: ['elsewhere'] })
    expect((await come(house)).page.status).toBe(403)
  })

  test('has no logout tokens, and nobody makes the gate ask for its keys', async () => {
    await using github = createGitHubSignIn()
    await using house = await openWith(github, { createUsers: true })
    const body = new URLSearchParams({ logout_token: await house.idp.logoutToken('ben') })
    expect((await fetch(`${house.url}/sign-in/logout/github`, { method: 'POST', body })).status).toBe(404)
  })

  test('a secret it does not know is told as what it is', async () => {
    await using github = createGitHubSignIn()
    await using house = await openWith(github, { createUsers: true, clientSecret: 'another' })
    const { page } = await come(house)
    expect(page.status).toBe(502)
    expect(page.text).toMatch(/does not accept this gate as its client/)
  })
})

async function openWith(github: ReturnType<typeof createGitHubSignIn>, entry: object): Promise<House> {
  const { url: issuer } = await github.listen()
  const known = { issuer, clientId: gitHubClient.id, clientSecret: gitHubClient.secret }
  return openHouse({ others: { github: { ...known, ...entry } } })
}

async function come(house: House) {
  const browser = createBrowser()
  return { browser, page: await (await browser.open(`${house.url}/sign-in`)).press(/Continue with GitHub/) }
}
