import { expect, test } from 'vitest'
import { describeBrowser } from '../../src/login/browser.ts'

const mozilla = (system: string, rest: string) =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`
const LINUX = 'X11; Linux x86_64'

test.for([
  [mozilla(LINUX, 'Chrome/140.0 Safari/537.36'), 'Chrome on Linux'],
  [mozilla('Windows NT 10.0', 'Chrome/140.0 Safari/537.36 Edg/140.0'), 'Edge on Windows'],
  [mozilla('Windows NT 10.0', 'Chrome/140.0 Safari/537.36 OPR/120.0'), 'Opera on Windows'],
  [mozilla('Macintosh; Intel Mac OS X 10_15', 'Version/18.0 Safari/605.1'), 'Safari on Mac'],
  [mozilla('iPhone; CPU iPhone OS 18_0 like Mac OS X', 'CriOS/140.0 Mobile Safari/604.1'), 'Chrome on iPhone'],
  [mozilla('iPad; CPU OS 18_0 like Mac OS X', 'FxiOS/140.0 Mobile Safari/605.1'), 'Firefox on iPad'],
  [mozilla('Linux; Android 15; Pixel 9', 'Chrome/140.0 Mobile Safari/537.36'), 'Chrome on Android'],
  [mozilla('X11; CrOS x86_64', 'Chrome/140.0 Safari/537.36'), 'Chrome on ChromeOS'],
  [`Mozilla/5.0 (${LINUX}; rv:140.0) Gecko/20100101 Firefox/140.0`, 'Firefox on Linux'],
  ['Firefox/1.0', 'Firefox'],
  ['curl/8.0 on Linux', 'curl/8.0 on Linux'],
  ['', 'unknown'],
])('%s is told as %s', ([userAgent = '', told]) => {
  expect(describeBrowser(userAgent)).toBe(told)
})

test('what nobody knows is cut short, and nothing unseen is shown', () => {
  expect(describeBrowser('x'.repeat(500)).length).toBeLessThanOrEqual(60)
  const told = describeBrowser('tool\u001b[31m\u202e')
  for (const unseen of ['\u001b', '\u202e']) expect(told).not.toContain(unseen)
})
