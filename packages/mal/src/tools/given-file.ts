import { MalProblem } from '../api/problem.ts'

/**
 * The bytes of a file that came as an argument: as text, as base64, or as a `data:` address. What decodes to the
 * beginning of a list file is base64; everything else is text.
 *
 * @throws {MalProblem} `file_unreadable` for a path or an address: this server opens nothing that a caller names
 */
export function bytesOf(file: string): Uint8Array {
  if (isNoContent(file.trim())) throw new MalProblem('file_unreadable', { says: SEND_CONTENT })
  const address = /^data:[^,]*;base64,/i.exec(file)?.[0]
  if (address !== undefined) return Buffer.from(file.slice(address.length), 'base64')
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(file.slice(0, 1000) + file.slice(-100))) return Buffer.from(file)
  const bytes = Buffer.from(file, 'base64')
  return beginsAsFile(bytes) ? bytes : Buffer.from(file)
}

const SEND_CONTENT =
  'This looks like a path or an address, and this server opens neither: send what the file holds as "file", its text ' +
  'or base64 of its bytes.'

/** One short line that begins as a path or an address does, or ends as the name of a file. */
function isNoContent(file: string): boolean {
  if (file.length > 1024 || /[\n<{[]/.test(file)) return false
  return (
    /^(?:(?:~|\.{1,2}|[a-z]:)?[\\/](?!\/)|(?:file|https?):)/i.test(file) || /\.(?:xml|csv|json|gz|zip)$/i.test(file)
  )
}

/** Gzip, a mark of the byte order, or the first sign of XML or JSON. */
function beginsAsFile([first = 0, second = 0]: Uint8Array): boolean {
  if (first === 0x1f && second === 0x8b) return true
  if ((first === 0xef && second === 0xbb) || (first === 0xff && second === 0xfe)) return true
  return first === 0x3c || first === 0x7b
}
