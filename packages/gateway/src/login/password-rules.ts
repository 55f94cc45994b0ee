import { problem } from '../base/problem.ts'
import { say } from '../pages/words.ts'
import { commonPasswords } from './common-passwords.ts'

export interface PasswordRules {
  /** The fewest characters. */
  readonly length: number
  /** What the password must not be made of: the user's name, the gate's. */
  readonly names: readonly string[]
}

const MOST = 256

/** The form in which a password is compared and hashed, however a keyboard composed its accents. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC')
}

/**
 * Refuses what is among the first that an attacker would try. There is no rule of composition: any characters do, a
 * space too, and the password is compared whole.
 *
 * @throws {Problem} `login.password_weak`, with why; never with the password
 * @see NIST SP 800-63B-4 §3.1.1.2
 */
export function requireStrong(password: string, { length, names }: PasswordRules): void {
  const characters = Array.from(normalizePassword(password))
  const weak = (reason: string) => problem('login.password_weak', { reason })
  if (characters.length < length) throw weak(say('weak.short', { length }))
  if (characters.length > MOST) throw weak(say('weak.long', { length: MOST }))
  const lower = characters.join('').toLowerCase()
  if (commonPasswords.has(lower.replace(/\s/g, ''))) throw weak(say('weak.known'))
  if (isPattern(lower)) throw weak(say('weak.pattern'))
  if (names.some((name) => isMadeOf(lower, name.normalize('NFC').toLowerCase()))) throw weak(say('weak.name'))
}

/** A name, once or repeated, with nothing around it but digits, spaces and marks. */
function isMadeOf(password: string, name: string): boolean {
  const core = lettersOf(name)
  if (password === name) return true
  return core.length >= 3 && lettersOf(password).includes(core) && lettersOf(password).replaceAll(core, '') === ''
}

function lettersOf(text: string): string {
  return text.replace(/\P{L}/gu, '')
}

function isPattern(password: string): boolean {
  return /^(.{1,4})\1+$/u.test(password) || ROWS.some((row) => row.includes(password)) || isSequence(password)
}

const KEYBOARD = ['1234567890', 'qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm']
const ROWS = KEYBOARD.flatMap((row) => [row, Array.from(row).toReversed().join('')]).map((row) => row.repeat(26))

/** Every character is one more than the one before, or one less. */
function isSequence(password: string): boolean {
  const codes = Array.from(password, (character) => character.codePointAt(0) ?? 0)
  const steps = new Set(codes.slice(1).map((code, index) => code - (codes[index] ?? 0)))
  return steps.size === 1 && (steps.has(1) || steps.has(-1))
}
