import { expect, test } from 'vitest'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside } from '../journey/outside.ts'
import { begin, poll, registerTerminal } from '../sign-in/terminal.ts'
import { openChromium, withoutChromium } from './chromium.ts'

/** RFC 8628 §3.3, in a real browser: sign in, enter the code, compare, answer. */
test.skipIf(withoutChromium)(
  'a person lets a terminal in: the link brings the code, they compare it and allow',
  { timeout: 120_000 },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const ada = await chromium.newPerson()
    await ada.page.goto(await outside.gate.inviteUser('ada'))
    await ada.page.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await ada.page.getByLabel('New password, once more').fill(PASSWORD)
    await ada.page.getByRole('button', { name: /set the password/i }).click()
    await ada.page.getByRole('button', { name: /sign out/i }).click()

    const clientId = await registerTerminal(outside)
    const { link, userCode, deviceCode } = await begin(outside, clientId)
    await ada.page.goto(link)
    await ada.page.getByLabel('Name').fill('ada')
    await ada.page.getByLabel('Password').fill(PASSWORD)
    await ada.page.getByRole('button', { name: 'Sign in' }).click()
    expect(await ada.page.getByLabel('Code').inputValue()).toBe(userCode)
    await ada.look('30-device-code')

    await ada.page.getByLabel('Code').fill('BBBB-BBBB')
    await ada.page.getByRole('button', { name: 'Continue' }).click()
    expect(await ada.page.textContent('main')).toContain('This code is not open')
    await ada.look('31-device-code-wrong')

    await ada.page.getByLabel('Code').fill(userCode.toLowerCase().replace('-', ' '))
    await ada.page.getByRole('button', { name: 'Continue' }).click()
    expect(await ada.page.textContent('main')).toContain(userCode)
    await ada.look('32-device-confirm')
    await ada.page.emulateMedia({ colorScheme: 'dark' })
    await ada.look('33-device-confirm-dark')

    await ada.page.getByRole('button', { name: /^The code is the same/ }).click()
    expect(await ada.page.title()).toContain('The terminal is let in')
    await ada.look('34-device-done')
    expect((await poll(outside, clientId, deviceCode)).status).toBe(200)
    await ada.page.getByRole('link', { name: /clients you allowed/ }).click()
    expect(await ada.page.textContent('main')).toContain('another device')
  },
)
