import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'

const EXECUTABLE = process.env['SEKISHO_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
/** Where pictures of pages are kept. */
export const SHOTS = join(import.meta.dirname, '../../../../../artifacts/screenshots')

/** Whether there is no browser here; in CI its tests then fail instead of being left out. */
export const withoutChromium = !existsSync(EXECUTABLE) && process.env['CI'] !== 'true'
if (withoutChromium)
  console.warn(`Chromium is not at ${EXECUTABLE}: set SEKISHO_TEST_CHROMIUM. The tests in a browser are left out.`)

/** A real browser; each person of a test is given a context of their own. */
export interface Chromium extends AsyncDisposable {
  newPerson(options?: PersonOptions): Promise<Person>
}

export interface PersonOptions {
  readonly javaScript?: boolean
  readonly dark?: boolean
  /** What their browser says it is. */
  readonly userAgent?: string
}

/** Somebody at a browser. */
export interface Person {
  readonly context: BrowserContext
  readonly page: Page
  /**
   * Looks at the page as it is: nothing that axe finds, in light or dark, nothing that reaches beyond the window, no complaint of the
   * browser about the policy; and keeps a picture of it.
   */
  look(name: string): Promise<void>
}

export async function openChromium(): Promise<Chromium> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  mkdirSync(SHOTS, { recursive: true })
  return {
    newPerson: async ({ javaScript = true, dark = false, userAgent } = {}) => {
      const context = await browser.newContext({
        javaScriptEnabled: javaScript,
        ...(userAgent === undefined ? {} : { userAgent }),
        viewport: { width: 1000, height: 800 },
        colorScheme: dark ? 'dark' : 'light',
      })
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      const complaints: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
      })
      const look = async (name: string) => {
        await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
        await page.setViewportSize({ width: 360, height: 740 })
        await page.screenshot({ path: join(SHOTS, `${name}.narrow.png`), fullPage: true })
        if (javaScript) {
          const width = await page.evaluate('document.documentElement.scrollWidth')
          const beyond = width === 360 ? [] : await page.evaluate(BEYOND)
          expect({ width, beyond }, `${name} is as wide as its window`).toEqual({ width: 360, beyond: [] })
        }
        await page.setViewportSize({ width: 1000, height: 800 })
        for (const colorScheme of javaScript ? (['light', 'dark'] as const) : []) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          expect(await violations(page), `axe on ${name}, ${colorScheme}`).toEqual([])
        }
        await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: null })
        expect(complaints, `the policy of ${name}`).toEqual([])
      }
      return { context, page, look }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

/** What reaches beyond the window, as it runs in the page. */
const BEYOND = `[...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth)
  .map((one) => one.tagName + '.' + one.className)`

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze()
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target.join(' ')}`))
}
