import { hash } from 'node:crypto'

/**
 * What is kept of a secret that somebody presents, so that the database opens nothing. It has neither salt nor
 * stretching: secrets of the gate's own making have 256 bits of chance, which nobody guesses.
 */
export function digest(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
