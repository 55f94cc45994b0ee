import { createBrowser, type Browser, type BrowserOptions, type Page } from './browser.ts'

/** A password that the rules take. */
export const PASSWORD = 'a gate upon the old highway'

/** Opens the link of an invitation and chooses a password: afterwards the browser is signed in. */
export async function acceptInvitation(link: string, options: BrowserOptions = {}): Promise<Browser> {
  const browser = createBrowser(options)
  await choosePassword(browser, link)
  return browser
}

/** The same in a browser that is there already. */
export async function choosePassword(browser: Browser, link: string): Promise<void> {
  const page = await browser.open(link)
  const after = await page.press(/^Set the password/, { password: PASSWORD, again: PASSWORD })
  if (after.status !== 200) throw new Error(`the invitation ended at ${after.url}: ${after.status} ${after.text}`)
}

/** Signs in wherever a page asks for it. */
function signIn(page: Page, name: string): Promise<Page> {
  return page.press(/^Sign in/, { name, password: PASSWORD })
}

/** Walks from an authorization request to the client's redirect address: sign in where that is asked, then allow. */
export async function allowClient(browser: Browser, authorizationUrl: URL, name: string): Promise<URL> {
  let page = await browser.open(authorizationUrl.href)
  if (page.has(/^Sign in/)) page = await signIn(page, name)
  if (page.has(/^Allow/)) page = await page.press(/^Allow/)
  return new URL(page.url)
}

/** Walks from the link a client was given through the provider's own pages, back to the gate. */
export async function connectMal(browser: Browser, link: string, account: { name: string; password: string }) {
  let page = await browser.open(link)
  if (page.has(/^Continue to MyAnimeList/)) page = await page.press(/^Continue to MyAnimeList/)
  if (page.has(/^Sign in/)) page = await page.press(/^Sign in/, { user_name: account.name, password: account.password })
  return page.press(/^Allow/)
}
