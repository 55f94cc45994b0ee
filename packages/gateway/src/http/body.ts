import type { IncomingMessage } from 'node:http'
import { problem } from '../base/problem.ts'

const EMPTY = Buffer.alloc(0)

/**
 * Reads a request's body whole. What is left of one that is too large is read into nothing for as long as a
 * request may take: to close the connection at once could lose the answer.
 *
 * @throws {Problem} `request.too_large`; `request.cancelled` where the client went away.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) return reject(problem('request.too_large', { limit }))
    // Who is gone already says nothing more, not even that.
    if (request.destroyed) return reject(problem('request.cancelled'))
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let size = 0
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        request.off('data', take).resume()
        return reject(problem('request.too_large', { limit }))
      }
      if (first === undefined) first = chunk
      else (more ??= [first]).push(chunk)
    }
    request.on('data', take)
    request.on('end', () => resolve(more ? Buffer.concat(more, size) : (first ?? EMPTY)))
    request.on('error', (cause) => reject(problem('request.cancelled', { cause })))
  })
}
