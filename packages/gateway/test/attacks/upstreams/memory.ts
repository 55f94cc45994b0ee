import { readFileSync } from 'node:fs'

/** How much memory a process has in use, in bytes; 0 elsewhere than on Linux. */
export function memoryOf(pid: number): number {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    return Number(pages) * PAGE
  } catch {
    return 0
  }
}

const PAGE = 4096
