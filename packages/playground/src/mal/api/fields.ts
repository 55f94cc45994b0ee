export type Json = string | number | boolean | null | readonly (Json | undefined)[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

/** What `fields=` asks for: names, and below each what is asked of it. */
export interface FieldTree extends ReadonlyMap<string, FieldTree> {}

/** An object that is not made yet: each field is worked out when it is asked for, and `undefined` leaves it out. */
export interface Fields {
  readonly [name: string]: (asked: FieldTree) => Json | undefined
}

const noFields: FieldTree = new Map()

/**
 * Reads `a,b{c,d{e}}`. Never fails: names nobody knows ask for nothing, and braces that do not match are closed at the
 * end or overlooked.
 */
export function parseFields(text: string): FieldTree {
  const root: Growing = new Map()
  const open: Growing[] = [root]
  let name = ''
  for (const char of text) {
    if (char === ',') take()
    else if (char === '{') open.push(take())
    else if (char === '}') {
      take()
      if (open.length > 1) open.pop()
    } else name += char
  }
  take()
  return root

  /** Puts down the name that was just read; a brace without one opens a place that nobody looks at. */
  function take(): Growing {
    const trimmed = name.trim()
    name = ''
    const here = open.at(-1) ?? root
    const below: Growing = here.get(trimmed) ?? new Map()
    if (trimmed !== '') here.set(trimmed, below)
    return below
  }
}

interface Growing extends Map<string, Growing> {}

/** Makes the fields that were asked for, and those that are always given. */
export function project(fields: Fields, asked: FieldTree, always: readonly string[]): JsonObject {
  const result: Record<string, Json> = {}
  for (const [name, make] of Object.entries(fields)) {
    const below = asked.get(name)
    if (!below && !always.includes(name)) continue
    const value = make(below ?? noFields)
    if (value !== undefined) result[name] = value
  }
  return result
}

/** Narrows an object that is there already. Without `always` and without braces all of it is given. */
export function pick(value: JsonObject, asked: FieldTree, always: readonly string[] = []): JsonObject {
  if (asked.size === 0 && always.length === 0) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => asked.has(name) || always.includes(name)))
}
