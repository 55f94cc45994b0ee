import { cleanText } from '../../pages/clean.ts'
import { describeBrowser } from '../browser.ts'

const LENGTH = 64

/** What a passkey is called: as its user wrote it, fit to be read, or after the browser it was made in. */
export function readPasskeyName(text: string | null, userAgent = ''): string {
  return cleanText(text ?? '', LENGTH) || describeBrowser(userAgent)
}
