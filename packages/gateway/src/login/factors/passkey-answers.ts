import { z } from 'zod'
import { problem } from '../../base/problem.ts'

const Base64url = z
  .string()
  .max(16_384)
  .regex(/^[\w-]+$/)
const Id = Base64url.max(1_400)

const common = {
  id: Id,
  rawId: Id,
  type: z.literal('public-key'),
  /** Nothing was asked for, so nothing is read. */
  clientExtensionResults: z
    .unknown()
    .optional()
    .transform(() => ({})),
}

/** @see {@link https://www.w3.org/TR/webauthn-3/#dictdef-registrationresponsejson WebAuthn §5.1, RegistrationResponseJSON} */
const NewPasskey = z.object({
  ...common,
  response: z.object({
    clientDataJSON: Base64url,
    attestationObject: Base64url,
    transports: z
      .array(z.enum(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']).catch('hybrid'))
      .max(8)
      .default([]),
  }),
})
export type NewPasskey = z.output<typeof NewPasskey>

/** @see {@link https://www.w3.org/TR/webauthn-3/#dictdef-authenticationresponsejson WebAuthn §5.1, AuthenticationResponseJSON} */
const Assertion = z.object({
  ...common,
  response: z.object({
    clientDataJSON: Base64url,
    authenticatorData: Base64url,
    signature: Base64url,
    userHandle: Base64url.max(88),
  }),
})
export type Assertion = z.output<typeof Assertion>

/** @throws {Problem} `passkey.refused` */
export const parseNewPasskey = (text: string): NewPasskey => parse(NewPasskey, text)

/** @throws {Problem} `passkey.refused` */
export const parseAssertion = (text: string): Assertion => parse(Assertion, text)

/** As `parseAssertion`; nothing where it is no answer. */
export function findAssertion(text: string): Assertion | undefined {
  try {
    return parseAssertion(text)
  } catch {
    return undefined
  }
}

/** Whose passkey it says it is: the id its user has here. */
export function userIn({ response }: Assertion): string {
  return Buffer.from(response.userHandle, 'base64url').toString()
}

/** @see {@link https://www.w3.org/TR/webauthn-3/#dictdef-collectedclientdata WebAuthn §5.8.1, CollectedClientData} */
const ClientData = z.object({ challenge: z.string() })

/**
 * The challenge that a browser says it was asked with; whether all it says is so, is verified with the signature.
 *
 * @throws {Problem} `passkey.refused`
 */
export function challengeIn({ response }: NewPasskey | Assertion): string {
  try {
    return ClientData.parse(JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString())).challenge
  } catch (cause) {
    throw problem('passkey.refused', { reason: 'the client data cannot be read', cause })
  }
}

function parse<T extends z.ZodType>(shape: T, text: string): z.output<T> {
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw problem('passkey.refused', { reason: 'the answer is not one of WebAuthn', cause })
  }
}
