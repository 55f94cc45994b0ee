const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20

/** Puts a JSON text on one line: a raw line break in it can only be white space, and would end the event's line. */
export function oneLine(json: Buffer): Buffer {
  if (!json.includes(NEWLINE) && !json.includes(RETURN)) return json
  const copy = Buffer.from(json)
  for (let index = 0; index < copy.length; index++) {
    if (copy[index] === NEWLINE || copy[index] === RETURN) copy[index] = SPACE
  }
  return copy
}
