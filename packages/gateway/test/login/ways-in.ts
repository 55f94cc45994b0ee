import { Secret, TOTP } from 'otpauth'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { hidden, type Browser, type Page } from './browser.ts'
import { createDevice, type Device } from './device.ts'
import { PASSWORD, type Scene } from './scene.ts'

type Added = Awaited<ReturnType<Scene['person']>>

/** Takes the first step, with name and password. */
export async function enterPassword(browser: Browser, name: string, { password = PASSWORD, next = '' } = {}) {
  const page = await browser.get(next === '' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`)
  return browser.post('/sign-in', { ...hidden(page), name, password })
}

/** Sends the form of a page that has this action. */
export async function send(
  browser: Browser,
  path: string,
  { page, form, action = path }: { page?: Page; form: Readonly<Record<string, string>>; action?: string },
): Promise<Page> {
  return browser.post(action, { ...hidden(page ?? (await browser.get(path)), action), ...form })
}

/** What the script of a page would hand to `navigator.credentials`. */
export function optionsIn({ text }: Page): string {
  const [, options = ''] = /data-options="([^"]*)"/.exec(text) ?? []
  return options.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

/** Signs in with a passkey. */
export async function enterPasskey(browser: Browser, device: Device, page?: Page): Promise<Page> {
  const shown = page ?? (await browser.get('/sign-in'))
  return browser.post('/sign-in', { ...passkeyFields(shown), answer: device.get(optionsIn(shown)) })
}

/** The hidden fields of the form that a passkey answers. */
export function passkeyFields({ text }: Page): Record<string, string> {
  const [form = ''] = /<form[^>]*data-asks[^]*?<\/form>/.exec(text) ?? []
  return hidden({ text: form } as Page)
}

/** Gives a user a passkey on a device of their own. */
export async function givePasskey({ factors, origin }: Scene, user: Added, name = 'laptop'): Promise<Device> {
  const device = createDevice(origin)
  const options = await factors.passkeys.offer(DEFAULT_TENANT, user, 'test')
  await factors.passkeys.add(DEFAULT_TENANT, user.id, { answer: device.create(options), name, use: 'test' })
  return device
}

/** An app that makes codes, as its user holds it. */
export interface App {
  code(): string
}

/** Gives a user an authenticator app. The code it was set up with counts as used. */
export async function giveApp({ factors, clock }: Scene, user: Added): Promise<App> {
  const offer = await factors.authenticators.offer(DEFAULT_TENANT, user)
  const app = appWith(offer.text.reveal(), clock)
  await factors.authenticators.confirm(DEFAULT_TENANT, user.id, { sealed: offer.sealed, code: app.code() })
  clock.turn(30_000)
  return app
}

/** An app that was given a secret by hand. */
export function appWith(secret: string, clock: { now(): number }): App {
  const totp = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) })
  return { code: () => totp.generate({ timestamp: clock.now() }) }
}
