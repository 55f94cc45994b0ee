import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** A device that keeps passkeys, as far as a gate can tell: it makes keys, signs with them and counts. */
export interface Device {
  /** Answers what `navigator.credentials.create` was asked, as JSON. */
  create(options: string, how?: How): string
  /** Answers what `navigator.credentials.get` was asked, with the key it made last, as JSON. */
  get(options: string, how?: How): string
}

interface How {
  /** Of the passkey that is made, in place of one of chance. */
  readonly id?: Buffer
  /** Where the browser believes to be. */
  readonly origin?: string
  readonly rpId?: string
  /** Whether the user unlocked it with a finger or a PIN. */
  readonly verified?: boolean
  readonly counter?: number
  readonly userHandle?: string
  readonly crossOrigin?: boolean
}

interface Kept {
  readonly id: Buffer
  readonly privateKey: KeyObject
  readonly userHandle: string
}

/** @see {@link https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data WebAuthn §6.1} */
export function createDevice(origin: string): Device {
  let kept: Kept | undefined
  let counter = 0

  return {
    create(options, how = {}) {
      const { challenge, rp, user } = JSON.parse(options)
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      kept = { id: how.id ?? randomBytes(16), privateKey, userHandle: user.id }
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(kept.id.length)
      const attested = Buffer.concat([Buffer.alloc(16), length, kept.id, coseKey(x, y)])
      const data = Buffer.concat([dataOf(how.rpId ?? rp.id, 0x40 | flagsOf(how), 0), attested])
      return answerOf(kept.id, {
        clientDataJSON: clientData('webauthn.create', challenge, { origin, ...how }),
        attestationObject: noAttestation(data).toString('base64url'),
      })
    },
    get(options, how = {}) {
      if (kept === undefined) throw new Error('the device has no passkey')
      const { challenge, rpId } = JSON.parse(options)
      counter = how.counter ?? counter + 1
      const data = dataOf(how.rpId ?? rpId, flagsOf(how), counter)
      const clientDataJSON = clientData('webauthn.get', challenge, { origin, ...how })
      const signed = Buffer.concat([
        data,
        createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest(),
      ])
      return answerOf(kept.id, {
        clientDataJSON,
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', signed, kept.privateKey).toString('base64url'),
        userHandle: how.userHandle ?? kept.userHandle,
      })
    },
  }
}

function flagsOf({ verified = true }: How): number {
  return 0x01 | (verified ? 0x04 : 0)
}

function dataOf(rpId: string, flags: number, counter: number): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(counter)
  return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.of(flags), count])
}

function clientData(type: string, challenge: string, { origin, crossOrigin = false }: How): string {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin })).toString('base64url')
}

function answerOf(id: Buffer, response: Readonly<Record<string, string>>): string {
  const text = id.toString('base64url')
  return JSON.stringify({ id: text, rawId: text, type: 'public-key', response })
}

/** `{ "fmt": "none", "attStmt": {}, "authData": … }` in CBOR (RFC 8949). */
function noAttestation(data: Buffer): Buffer {
  const head = Buffer.concat([Buffer.of(0xa3), cborText('fmt'), cborText('none'), cborText('attStmt'), Buffer.of(0xa0)])
  return Buffer.concat([head, cborText('authData'), Buffer.of(0x58, data.length), data])
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x60 + text.length), Buffer.from(text)])
}

/** An ES256 key in COSE (RFC 9053 §7.1.1). */
function coseKey(x: string, y: string): Buffer {
  const [head, before] = [Buffer.of(0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20), Buffer.of(0x22, 0x58, 0x20)]
  return Buffer.concat([head, Buffer.from(x, 'base64url'), before, Buffer.from(y, 'base64url')])
}
