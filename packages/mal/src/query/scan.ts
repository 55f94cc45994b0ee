import { badQuery } from './bad-query.ts'

/** A piece of text as it was written: what stands in quotes is meant letter by letter. */
export interface Word {
  readonly text: string
  readonly quoted: boolean
  /** Where it begins, from 0. */
  readonly at: number
}

/** A reader of the text that goes forward only. */
export type Scanner = ReturnType<typeof createScanner>

export function createScanner(text: string) {
  let at = 0

  const scanner = {
    text,
    at: () => at,
    atEnd: () => at >= text.length,
    skipSpace: () => void scanner.take(/\s*/y),
    /** Reads what the (sticky) pattern finds here, if anything. */
    take(pattern: RegExp): string | undefined {
      pattern.lastIndex = at
      const [found] = pattern.exec(text) ?? []
      at += found?.length ?? 0
      return found
    },
    /** What the (sticky) pattern finds here; nothing is read. */
    peek(pattern: RegExp): string | undefined {
      pattern.lastIndex = at
      return pattern.exec(text)?.[0]
    },
    /** Whether the (sticky) pattern is found here; nothing is read. */
    sees(pattern: RegExp): boolean {
      pattern.lastIndex = at
      return pattern.test(text)
    },
    /** Reads a word or a quoted text, if one begins here. */
    word(plain: RegExp): Word | undefined {
      const start = at
      if (text[at] === '"') return { text: quotation(), quoted: true, at: start }
      const found = scanner.take(plain)
      return found ? { text: found, quoted: false, at: start } : undefined
    },
  }
  return scanner

  /** Inside quotes `\"` is a quote and `\\` a backslash. */
  function quotation(): string {
    const start = at
    const found = scanner.take(/"(?:[^"\\]|\\[^])*"/y)
    if (found === undefined) throw badQuery(text, start, 'the quotation is not closed', 'Put a " where it ends.')
    return found.slice(1, -1).replaceAll(/\\([^])/g, '$1')
  }
}
