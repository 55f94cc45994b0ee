import { send, type Got } from '../../attacks/ground.ts'

interface Address {
  readonly publicUrl: string
}

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A terminal that registers itself, as anybody may. */
export async function registerTerminal({ publicUrl }: Address, name = 'A terminal'): Promise<string> {
  const { body, text } = await send(`${publicUrl}/register`, { json: { client_name: name, grant_types: [DEVICE] } })
  const { client_id: clientId } = body
  if (typeof clientId !== 'string') throw new Error(`not registered: ${text}`)
  return clientId
}

export interface Begun {
  readonly deviceCode: string
  readonly userCode: string
  /** The address that brings the code along. */
  readonly link: string
}

/** The terminal asks, and shows its user what it is given. */
export async function begin({ publicUrl }: Address, clientId: string): Promise<Begun> {
  const { status, body, text } = await send(`${publicUrl}/device_authorization`, { form: { client_id: clientId } })
  if (status !== 200) throw new Error(`not begun: ${text}`)
  return {
    deviceCode: String(body['device_code']),
    userCode: String(body['user_code']),
    link: String(body['verification_uri_complete']),
  }
}

/** The terminal asks whether it may. */
export function poll({ publicUrl }: Address, clientId: string, deviceCode: string): Promise<Got> {
  const form = { grant_type: DEVICE, client_id: clientId, device_code: deviceCode }
  return send(`${publicUrl}/token`, { form })
}
