/** A row of numbers that is the same for the same key, so that each entry can be made alone and in any order. */
export interface Chance {
  /** A whole number from 0 up to, but not including, `below`. */
  int(below: number): number
  maybe(probability: number): boolean
  pick<const Values extends readonly [unknown, ...unknown[]]>(values: Values): Values[number]
}

/** Starts the row of one key: FNV-1a to spread the key, mulberry32 to go on from there. */
export function chanceOf(key: string): Chance {
  let state = 2_166_136_261
  for (let index = 0; index < key.length; index += 1) {
    state = Math.imul(state ^ key.charCodeAt(index), 16_777_619)
  }

  const chance: Chance = {
    int: (below) => Math.floor(next() * below),
    maybe: (probability) => next() < probability,
    pick: (values) => values[chance.int(values.length)] ?? values[0],
  }
  return chance

  function next(): number {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
