const NEWLINE = 0x0a

/** The last bytes of what a child wrote to stderr, and of what it wrote to stdout that is not MCP. */
export interface Ring {
  write(bytes: Buffer | string): void
  /** What is still there, from the start of a line. */
  read(): string
}

/** Keeps the last `size` bytes. Takes its memory at the first write, and never more. */
export function createRing(size: number): Ring {
  let buffer: Buffer | undefined
  let at = 0
  let full = false
  return {
    write(bytes) {
      const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      const last = all.subarray(Math.max(0, all.length - size))
      buffer ??= Buffer.alloc(size)
      const fitting = last.copy(buffer, at)
      last.copy(buffer, 0, fitting)
      full ||= at + last.length >= size
      at = (at + last.length) % size
    },
    read() {
      if (buffer === undefined) return ''
      if (!full) return buffer.toString('utf8', 0, at)
      const whole = Buffer.concat([buffer.subarray(at), buffer.subarray(0, at)])
      return whole.toString('utf8', whole.indexOf(NEWLINE) + 1)
    },
  }
}
