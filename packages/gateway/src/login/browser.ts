import { cleanText } from '../pages/clean.ts'

/** In this order: most browsers say that they are others as well. */
const BROWSERS: readonly (readonly [mark: string, name: string])[] = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['CriOS/', 'Chrome'],
  ['Safari/', 'Safari'],
]

const SYSTEMS: readonly (readonly [mark: string, name: string])[] = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Macintosh', 'Mac'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
]

/** Says of a `User-Agent` what its owner would: `Firefox on Linux`. What is not known is shown as it came, cut short. */
export function describeBrowser(userAgent: string): string {
  const find = (rows: typeof BROWSERS) => rows.find(([mark]) => userAgent.includes(mark))?.[1]
  const browser = find(BROWSERS)
  const system = find(SYSTEMS)
  if (browser === undefined) return cleanText(userAgent, 60) || 'unknown'
  return system === undefined ? browser : `${browser} on ${system}`
}
