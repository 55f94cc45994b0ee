/**
 * Texts with places in them that read differently on one side of the gate and on the other. A raw control character
 * stands in no JSON, so that it can mark them.
 */
const MARK = '\u0001'

export type Place = 'id' | 'token' | 'name' | 'uri' | 'meta' | 'params' | 'end' | 'result' | 'code'

/** Marks a place. */
export function at(place: Place): string {
  return MARK + place + MARK
}

/** The text with something at each place; nothing where none is named. */
export function fill(text: string, places: Partial<Readonly<Record<Place, string>>>): string {
  return text
    .split(MARK)
    .map((part, index) => (index % 2 === 0 ? part : (places[part as Place] ?? '')))
    .join('')
}

/** Marks the place right after the beginning of an object. */
export function marked(place: 'meta' | 'params' | 'result', object: string): string {
  return `{${at(place)}${object.slice(1)}`
}
