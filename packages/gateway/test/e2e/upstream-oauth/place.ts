import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from '../../../../../scripts/lib/browser.ts'
import { textAt } from '../../../../../scripts/lib/admin.ts'
import type { Gate } from '../../../../../scripts/lib/gate.ts'
import { acceptInvitation } from '../../../../../scripts/lib/people.ts'
import { call, said, type Door } from '../wire.ts'

/** Options of Node that have a program write down what it is sent, and let its time pass; see `observer.mjs`. */
export const OBSERVED = `--import=${pathToFileURL(join(import.meta.dirname, 'observer.mjs')).href}`

/** Every credential that an observed program was sent, each once, in the order they came. */
export function receivedBy(output: string): string[] {
  const found = [...output.matchAll(/^received \S+ \S+: Bearer (\S+)$/gm)].map(([, token = '']) => token)
  return [...new Set(found)]
}

/** Somebody with a browser that is signed in, and a client that has a key. */
export interface Member {
  readonly name: string
  readonly browser: Browser
  readonly door: Door
}

/** A user's browser, signed in to a gate by their invitation, and a key for their client. */
export async function joinGate(gate: Gate, url: string, name: string): Promise<Member> {
  const browser = await acceptInvitation(await gate.inviteUser(name))
  const key = textAt((await gate.admin('POST', '/admin/api/keys', { user: name, scopes: ['mcp'] })).body, 'key')
  return { name, browser, door: { url: `${url}/mcp`, key, era: 'modern' } }
}

/** The page that a failed call names, where the user connects. */
export async function linkFrom(door: Door, tool: string): Promise<string> {
  const result = await call(door, tool)
  const link = /https?:\/\/\S+\/connect\/[^\s"<>)]+/.exec(said(result))?.[0]
  if (result.isError !== true || link === undefined) throw new Error(`${tool} names no page: ${said(result)}`)
  return link
}

/** Opens the page and goes on to whom it names. */
export async function goOn(browser: Browser, link: string): Promise<Page> {
  const page = await browser.open(link)
  return page.press(/^Continue to/)
}

/** Takes the connection away on the page of accounts, after the question. */
export async function disconnect(browser: Browser, publicUrl: string): Promise<Page> {
  const accounts = await browser.open(`${publicUrl}/account`)
  const question = await (accounts.has(/^Disconnect/) ? accounts.press(/^Disconnect/) : accounts.follow(/^Disconnect/))
  return question.press(/^Disconnect/)
}
