import type { CDPSession, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside } from '../journey/outside.ts'
import { appWith } from '../../login/ways-in.ts'
import { openChromium, withoutChromium } from './chromium.ts'

/** Every way in that users hold themselves, in a real browser with a device of its own: R3-32b, R0-56. */
const TIMEOUT = 180_000

test.skipIf(withoutChromium)(
  'a passkey is made, signs its user in without a name, proves it once more, and is removed',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const ada = await chromium.newPerson()
    const device = await plugIn(ada.page)
    const { page } = ada
    await page.goto(await outside.gate.inviteUser('ada'))
    await setPassword(page)

    await page.getByRole('link', { name: 'Security' }).click()
    await ada.look('20-security-without-factors')
    await page.getByRole('link', { name: 'Add a passkey' }).click()
    await ada.look('21-add-a-passkey')
    await page.getByLabel('Name of the passkey').fill('My laptop')
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.waitForSelector('.codes')
    expect(await page.locator('.codes li').count()).toBe(10)
    await ada.look('22-recovery-codes')
    await page.getByRole('link', { name: 'I have kept them' }).click()
    expect(await page.textContent('main')).toContain('My laptop')
    expect(await device.count()).toBe(1)
    await ada.look('23-security-with-a-passkey')

    await device.present(false)
    await page
      .getByRole('button', { name: /^Sign out$/ })
      .first()
      .click()
    await ada.look('24-sign-in-with-passkeys')
    await device.present(true)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(/\/account$/)
    await page.goto(`${outside.publicUrl}/account/security`)
    expect(await page.textContent('main')).toMatch(/Signed in/)

    await device.present(false)
    await page.goto(`${outside.publicUrl}/sign-in/again?next=/account/security`)
    await ada.look('25-sign-in-once-more')
    await device.present(true)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(/\/account\/security$/)

    await page.getByRole('button', { name: 'Remove: My laptop' }).click()
    expect(await page.textContent('main')).toContain('You have no passkey yet.')
    await page.goto(`${outside.publicUrl}/sign-in?again=`)
    await page.waitForSelector('.notice.error')
    expect(await page.textContent('main')).toContain('This passkey did not let you in.')
    await ada.look('26-passkey-refused')
  },
)

test.skipIf(withoutChromium)(
  'the browser suggests a passkey in the field of the name',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const { page } = await chromium.newPerson()
    await plugIn(page)
    await page.goto(await outside.gate.inviteUser('ada'))
    await setPassword(page)
    await page.goto(`${outside.publicUrl}/account/security/passkeys`)
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.waitForSelector('.codes')
    await page.goto(`${outside.publicUrl}/sign-in?again=&next=/account/keys`)
    await page.waitForURL(/\/account\/keys$/)
    expect(await page.textContent('.viewer .who')).toBe('ada')
  },
)

test.skipIf(withoutChromium)(
  'password and app, password and recovery code, password and passkey; and a first factor where one is required',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside({ config: { signIn: { secondFactor: 'required' } } })
    await using chromium = await openChromium()
    const ada = await chromium.newPerson({ dark: true })
    const { page } = ada
    await page.goto(await outside.gate.inviteUser('ada'))
    await setPassword(page)
    expect(new URL(page.url()).pathname).toBe('/sign-in/set-up')
    await ada.look('27-set-up-required')
    const app = appWith((await page.locator('code.code').textContent()) ?? '', { now: () => Date.now() })
    await page.getByLabel('Code', { exact: true }).fill('000000')
    await page.getByRole('button', { name: 'Use this app' }).click()
    await ada.look('28-set-up-wrong-code')
    await page.getByLabel('Code', { exact: true }).fill(app.code())
    await page.getByRole('button', { name: 'Use this app' }).click()
    await page.waitForSelector('.codes')
    const code = (await page.locator('.codes code').first().textContent()) ?? ''
    await ada.look('29-recovery-codes-dark')
    await page.getByRole('link', { name: 'I have kept them' }).click()
    await page.goto(`${outside.publicUrl}/account/security`)
    await ada.look('30-security-dark')

    await page.getByRole('button', { name: 'Sign out everywhere, here too' }).click()
    expect(await page.textContent('main')).toContain('You are signed out')
    await signIn(page)
    expect(new URL(page.url()).pathname).toBe('/sign-in/second')
    await ada.look('31-second-step')
    await page.getByLabel(/^Code of your app/).fill('123123')
    await page.getByRole('button', { name: 'Go on' }).click()
    await ada.look('32-second-step-refused')
    await page.getByLabel(/^Code of your app/).fill(code)
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.waitForURL(/\/account$/)

    const device = await plugIn(page)
    await page.goto(`${outside.publicUrl}/account/security/passkeys`)
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.waitForURL(/done=passkeyAdded/)
    await device.present(false)
    await page.goto(`${outside.publicUrl}/sign-in?again=`)
    await signIn(page)
    await ada.look('33-second-step-with-a-passkey')
    await device.present(true)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(/\/account$/)

    await page.goto(`${outside.publicUrl}/account/security`)
    await page.getByRole('button', { name: 'Remove the app' }).click()
    await page.getByRole('button', { name: /^Remove: / }).click()
    expect(await page.textContent('main')).toContain('This is the last you have')
    await ada.look('34-last-factor-stays')
  },
)

test.skipIf(withoutChromium)(
  'without a script everything but passkeys works, and nothing of them is shown',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const { page } = await chromium.newPerson({ javaScript: false })
    await page.goto(await outside.gate.inviteUser('ada'))
    await setPassword(page)
    await page.goto(`${outside.publicUrl}/account/security/app`)
    const app = appWith((await page.locator('code.code').textContent()) ?? '', { now: () => Date.now() })
    await page.getByLabel('Code', { exact: true }).fill(app.code())
    await page.getByRole('button', { name: 'Use this app' }).click()
    expect(await page.locator('.codes li').count()).toBe(10)
    const code = (await page.locator('.codes code').first().textContent()) ?? ''
    await page.goto(`${outside.publicUrl}/sign-in?again=`)
    expect(await page.getByRole('button', { name: 'Use a passkey' }).isVisible()).toBe(false)
    await signIn(page)
    await page.getByLabel(/^Code of your app/).fill(code)
    await page.getByRole('button', { name: 'Go on' }).click()
    expect(new URL(page.url()).pathname).toBe('/account')
    await page.goto(`${outside.publicUrl}/account/security/passkeys`)
    expect(await page.textContent('main')).toContain('Passkeys need a browser that runs the script')
  },
)

/** A device with a fingerprint reader, in this browser. */
async function plugIn(page: Page) {
  const cdp: CDPSession = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    /** Whether somebody puts a finger on it when asked. */
    present: (enabled: boolean) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    count: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  }
}

async function setPassword(page: Page): Promise<void> {
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password, once more').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set the password and sign in' }).click()
}

async function signIn(page: Page, name = 'ada'): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
