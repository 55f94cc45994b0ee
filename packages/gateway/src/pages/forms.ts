import { problem } from '../base/problem.ts'

const FORM_BYTES = 64 * 1024
const FORM_TYPE = 'application/x-www-form-urlencoded'

/**
 * Reads the form that a request carries.
 *
 * @throws {Problem} `request.params` where it is no form, `request.too_large`
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const [type = ''] = (request.headers.get('Content-Type') ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== FORM_TYPE) throw problem('request.params', { reason: `a form is ${FORM_TYPE}` })
  const bytes = await request.arrayBuffer()
  if (bytes.byteLength > FORM_BYTES) throw problem('request.too_large', { limit: FORM_BYTES })
  return new URLSearchParams(new TextDecoder().decode(bytes))
}
