import { randomBytes } from 'node:crypto'

/** Secrets that stand nowhere else in the world, each with what it is. */
export function createSecrets() {
  const known = new Map<string, string>()
  return {
    make(what: string): string {
      const value = `secret-${randomBytes(12).toString('hex')}`
      known.set(what, value)
      return value
    },
    add: (what: string, value: string) => void known.set(what, value),
    /** Which of them are found in some bytes, plain, encoded or in part. */
    foundIn(bytes: Buffer | string): string[] {
      const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1')
      return [...known].filter(([, value]) => formsOf(value).some((form) => text.includes(form))).map(([what]) => what)
    },
  }
}

export type Secrets = ReturnType<typeof createSecrets>

/** A secret as it is, encoded as one piece, and two thirds of it: a cut one is still a secret. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  const encoded = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
  return [value, ...encoded, encodeURIComponent(value), value.slice(-16), value.slice(0, 18)]
}
