import { isUtf8 } from 'node:buffer'
import { createGunzip } from 'node:zlib'
import { MalProblem } from '../api/problem.ts'
import { createTroubles, type FileLimits, type Trouble } from './file.ts'

export interface Decoded {
  readonly text: string
  readonly troubles: readonly Trouble[]
}

/**
 * The text of a file, unpacked where it is gzip. What comes after a break in the packed data is missing, and said so;
 * bytes that are no text in the declared encoding are read line by line as UTF-8 or as Windows-1252, and said so.
 *
 * @throws {MalProblem} `file_too_large`, before more than the limit is held in memory
 */
export async function decode(file: Uint8Array, limits: FileLimits): Promise<Decoded> {
  if (file.byteLength > limits.fileBytes) throw tooLarge(limits.fileBytes, 'it')
  const isPacked = file[0] === 0x1f && file[1] === 0x8b
  const { bytes, troubles } = isPacked ? await unpack(file, limits.unpackedBytes) : { bytes: file, troubles: [] }
  if (bytes.byteLength > limits.unpackedBytes) throw tooLarge(limits.unpackedBytes, 'its text')
  const decoded = toText(bytes)
  return { text: decoded.text, troubles: [...troubles, ...decoded.troubles] }
}

async function unpack(file: Uint8Array, limit: number): Promise<{ bytes: Uint8Array; troubles: readonly Trouble[] }> {
  const gunzip = createGunzip()
  const chunks: Buffer[] = []
  let size = 0
  gunzip.end(file)
  try {
    for await (const chunk of gunzip) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit, 'its text, unpacked,')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof MalProblem) throw error
    const what = 'the compressed data breaks off or is damaged here; what follows is lost'
    return { bytes: Buffer.concat(chunks), troubles: [{ where: `byte ${size} of the unpacked file`, what }] }
  }
  return { bytes: Buffer.concat(chunks), troubles: [] }
}

function toText(bytes: Uint8Array): Decoded {
  const marked = byteOrderMark(bytes)
  const label = marked ?? declaredEncoding(bytes) ?? 'utf-8'
  const text = strictly(label, bytes)
  return text === undefined ? lineByLine(bytes) : { text, troubles: [] }
}

/** @see {@link https://encoding.spec.whatwg.org/#bom-sniff Encoding, BOM sniff} */
function byteOrderMark([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  return /^\s*<\?xml[^>]*encoding=["']([\w-]+)["']/.exec(start)?.[1]
}

function strictly(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** A file with more lines than this in another encoding is taken to be in it from there on. */
const STRAYS_MOST = 10_000

/** Programs that cut and paste between files leave lines of another encoding behind. */
function lineByLine(bytes: Uint8Array): Decoded {
  const texts: string[] = []
  const troubles = createTroubles()
  let line = 1
  let strays = 0
  /** Where the lines begin that are not decoded yet: they are all of one encoding. */
  let from = 0
  for (let at = 0; at < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, at)
    const end = newline < 0 ? bytes.length : newline + 1
    if (!isUtf8(bytes.subarray(at, end))) {
      texts.push(utf8.decode(bytes.subarray(from, at)))
      troubles.add(`line ${line}`, 'is not UTF-8 and was read as Windows-1252')
      strays += 1
      from = strays > STRAYS_MOST ? bytes.length : end
      texts.push(windows1252.decode(bytes.subarray(at, from)))
    }
    at = Math.max(end, from)
  }
  texts.push(utf8.decode(bytes.subarray(from)))
  if (strays > STRAYS_MOST) troubles.add(`line ${line - 1}`, 'is where all of the rest is read as Windows-1252')
  return { text: texts.join(''), troubles: troubles.all() }
}

const utf8 = new TextDecoder('utf-8')
const windows1252 = new TextDecoder('windows-1252')

function tooLarge(limit: number, what: string): MalProblem {
  return new MalProblem('file_too_large', { says: `At most ${limit} bytes are read, and ${what} has more.` })
}
