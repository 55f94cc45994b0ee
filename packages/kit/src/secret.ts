import { inspect } from 'node:util'

/**
 * A value that must not be seen: it prints as `[secret]` wherever a program prints things (string
 * conversion, JSON, `console.log`, a logger). Unwrap it with {@link Secret.reveal} only on the line that
 * sends or seals it.
 */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

const MASK = '[secret]'

/** Wraps a value. The value is kept in a closure, so that no property of the object holds it. */
export function secret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => MASK,
    toJSON: () => MASK,
    [inspect.custom]: () => MASK,
  })
}
