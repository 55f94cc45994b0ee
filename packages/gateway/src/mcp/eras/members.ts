import { eachMember, skipSpace, type Edit } from '../../base/json-spans.ts'

/** Puts a member first in the object that starts at `at`. */
export function insertMember(bytes: Buffer, at: number, member: string): Edit {
  const first = skipSpace(bytes, at + 1)
  const by = bytes[first] === CLOSE_BRACE ? member : `${member},`
  return { start: at + 1, end: at + 1, by }
}

/** Whether the object that starts at `at` has a member of that name. */
export function hasMember(bytes: Buffer, at: number, name: string): boolean {
  let found = false
  eachMember(bytes, at, (key) => {
    found ||= key === name
  })
  return found
}

const CLOSE_BRACE = 0x7d
