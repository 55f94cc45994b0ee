import { expect, test } from 'vitest'
import { oneLine } from '../../src/list/one-line.ts'

test.each([
  ['a line break', '\r\n'],
  ['a line separator', '\u2028'],
  ['a command to the terminal', '\u001b'],
  ['a turn of direction', '\u202e'],
  ['an Arabic mark', '\u061c'],
  ['text in tags, which nobody sees', '\u{e0069}\u{e0067}\u{e006e}'],
])('%s becomes a space', (_, text) => {
  expect(oneLine(`Cowboy${text}Bebop${text}`)).toBe('Cowboy Bebop')
})

test('what people write stays', () => {
  expect(oneLine('Été 日本語 عربي 👩‍🚀 ½')).toBe('Été 日本語 عربي 👩‍🚀 ½')
})
