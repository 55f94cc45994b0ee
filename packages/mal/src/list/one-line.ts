/**
 * Keeps a line a line: what strangers wrote may hold anything. Control characters, those that turn the direction of what
 * follows and those that no reader sees but a model does (tags) become spaces.
 */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\u{E0000}-\u{E007F}]+/gu, ' ').trim()
}
