import type { Random } from '../../base/ids.ts'

/** Names a process among those that share what it shares: 80 bits of chance, in letters and digits. */
export function createInstance(random: Random): string {
  return Buffer.from(random(10)).toString('hex')
}
