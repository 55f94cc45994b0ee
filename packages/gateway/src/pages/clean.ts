/**
 * Makes somebody else's text fit to be read: without what cannot be seen or turns the direction of writing, on one
 * line, and cut to a length.
 *
 * @see Unicode Technical Report #36 §2.6, and the Bidirectional Algorithm's control characters
 */
export function cleanText(text: string, length = 80): string {
  const characters = Array.from(text.normalize('NFC').replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim())
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length - 1).join('')}…`
}

/** Controls, format characters (the bidirectional ones are among them), surrogates, unassigned and line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu
