/** How single values are written in files, and read leniently. `undefined` is what cannot be read. */

/** A whole number of 0 or more; empty is 0. */
export function readCount(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return 0
  return /^\d{1,7}$/.test(trimmed) ? Number(trimmed) : undefined
}

/** 0 to 10 in whole numbers, as MyAnimeList has them: halves are rounded up. */
export function readScore(text: string): number | undefined {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return 0
  const score = /^\d{1,2}(?:\.\d+)?$/.test(trimmed) ? Math.round(Number(trimmed)) : undefined
  return score !== undefined && score <= 10 ? score : undefined
}

/** `''` is no date: `0000-00-00` and empty ones. Days and months that are not known are left out: `2020-05-00`. */
export function readDate(text: string): string | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '0000-00-00') return ''
  const [, year = '', month = '00', day = '00'] = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/.exec(trimmed) ?? []
  if (year === '' || year === '0000') return undefined
  if (month === '00') return day === '00' ? year : undefined
  if (Number(month) > 12) return undefined
  return day === '00' ? `${year}-${month}` : isDay(year, month, day) ? `${year}-${month}-${day}` : undefined
}

/** `2020-05` → `2020-05-00`; what is not known is zeros. */
export function writeDate(date: string | undefined): string {
  return `${date ?? '0000'}${'-00-00'.slice(date === undefined ? 0 : Math.max(0, date.length - 4))}`
}

export function readFlag(text: string): boolean | undefined {
  return flags.get(text.trim().toLowerCase())
}

const flags = new Map([
  ...['1', 'yes', 'true'].map((word) => [word, true] as const),
  ...['0', 'no', 'false', ''].map((word) => [word, false] as const),
])

/** MyAnimeList keeps tags as one text with commas. */
export function readTags(text: string): readonly string[] {
  return text.split(',').flatMap((tag) => (tag.trim() === '' ? [] : [tag.trim()]))
}

export function writeTags(tags: readonly string[]): string {
  return tags.join(', ')
}

function isDay(year: string, month: string, day: string): boolean {
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day)
}
