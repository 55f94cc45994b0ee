import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'

/** Texts that go out to clients and come back: nobody but the gate reads them, or makes one. */
export interface SealedText {
  /** `about` says for whom and what it is: it opens for the very same only. The same in gives the same out. */
  seal(plain: Buffer, about: readonly string[]): string
  /** Whether a text looks like one of this key; one of another gate does not. */
  recognises(text: string): boolean
  /** What was sealed; `undefined` for any text but an untouched one of this key, about the same. */
  open(text: string, about: readonly string[]): Buffer | undefined
}

export interface SealedTextNeeds {
  /** 32 bytes that all processes of a gate know. */
  readonly key: Uint8Array
  /** What every such text begins with; kinds of text that begin differently have nothing in common. */
  readonly prefix: string
}

const KEY_BYTES = 32
const MARK_BYTES = 6
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM, in base64url behind the prefix and a mark of the key, so that a gate behind a gate is told apart.
 *
 * The iv is a keyed digest of all that is sealed: two different texts share one as rarely as with chance, and the same
 * text is always sealed the same, which names that a client compares need.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5297#section-1.3 RFC 5297 §1.3} on such an iv
 */
export function createSealedText({ key, prefix }: SealedTextNeeds): SealedText {
  const derived = Buffer.from(hkdfSync('sha256', key, '', `sekisho ${prefix}`, 2 * KEY_BYTES + MARK_BYTES))
  const sealKey = derived.subarray(0, KEY_BYTES)
  const ivKey = derived.subarray(KEY_BYTES, 2 * KEY_BYTES)
  const mark = derived.subarray(2 * KEY_BYTES)
  const beginning = prefix + mark.toString('base64url')

  function seal(plain: Buffer, about: readonly string[]): string {
    const aad = encode(about)
    const iv = createHmac('sha256', ivKey)
      .update(lengthOf(aad))
      .update(aad)
      .update(plain)
      .digest()
      .subarray(0, IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', sealKey, iv, { authTagLength: TAG_BYTES }).setAAD(aad)
    const sealed = Buffer.concat([mark, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    return prefix + sealed.toString('base64url')
  }

  function open(text: string, about: readonly string[]): Buffer | undefined {
    const sealed = text.startsWith(beginning) ? decode(text.slice(prefix.length)) : undefined
    if (!sealed || sealed.length < MARK_BYTES + IV_BYTES + TAG_BYTES) return undefined
    const iv = sealed.subarray(MARK_BYTES, MARK_BYTES + IV_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', sealKey, iv, { authTagLength: TAG_BYTES })
    decipher.setAAD(encode(about)).setAuthTag(sealed.subarray(-TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(sealed.subarray(MARK_BYTES + IV_BYTES, -TAG_BYTES)), decipher.final()])
    } catch {
      return undefined
    }
  }

  return { seal, open, recognises: (text) => text.startsWith(beginning) }
}

/** No two lists of strings give the same bytes. */
function encode(about: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(about))
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return length
}

/** Node reads over what is no base64url: a text that was added to would pass for the one it was. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
