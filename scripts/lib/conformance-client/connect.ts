import { acceptInvitation } from '../people.ts'
import type { Browser } from '../browser.ts'
import type { ScenarioGate } from './gate.ts'

/** Somebody who uses the gate: in a browser, and with a client that has a key. */
export interface Member {
  readonly browser: Browser
  readonly key: string
}

/** Lets somebody in: they have chosen a password, and made a key for their client. */
export async function joinGate(gate: ScenarioGate): Promise<Member> {
  const { key } = await gate.addUser('suite')
  const { body } = await gate.admin('POST', '/admin/api/users/suite/invitation', {})
  const browser = await acceptInvitation(String(Reflect.get(Object(body), 'url')))
  return { browser, key }
}

/** The page that an answer names, where the user connects an account. */
export function linkIn(text: string): string | undefined {
  return /https?:\/\/\S+\/connect\/[^\s"<>)]+/.exec(text)?.[0]
}

/**
 * Opens the page and goes on to the authorization server, which asks nothing and sends the browser back.
 *
 * @throws {Error} with the words of the page, where that does not end in a connection.
 */
export async function connectAccount({ browser }: Member, link: string): Promise<void> {
  const page = await browser.open(link)
  const after = await page.press(/^Continue to/)
  if (!after.text.includes('Connected')) throw new Error(`not connected, at ${after.url}: ${after.text}`)
}
