/**
 * The one script of the pages: it asks the browser for a passkey and sends the answer with the form it stands in.
 * It makes no request of its own and writes no markup; whatever a page does without passkeys, it does without this.
 *
 * @see {@link https://www.w3.org/TR/webauthn-3/ WebAuthn} §5.1.3, §5.1.4
 */
export const passkeyScript = `'use strict'
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0))
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '')

const known = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }))
const questions = {
  get: (options) => ({ ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) }),
  create: (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  }),
}
const FIELDS = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']

function toAnswer({ id, rawId, type, response }) {
  const fields = FIELDS.filter((name) => response[name]).map((name) => [name, text(response[name])])
  const transports = response.getTransports ? { transports: response.getTransports() } : {}
  return JSON.stringify({ id, rawId: text(rawId), type, response: { ...Object.fromEntries(fields), ...transports } })
}

function prepare(form) {
  const { asks, options } = form.dataset
  const verb = asks === 'create' ? 'create' : 'get'
  const failed = form.querySelector('[data-failed]')
  let suggesting

  async function ask(more) {
    const publicKey = questions[verb](JSON.parse(options))
    const credential = await navigator.credentials[verb]({ publicKey, ...more })
    form.elements.namedItem('answer').value = toAnswer(credential)
    form.submit()
  }
  async function suggest() {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
    suggesting = new AbortController()
    await ask({ mediation: 'conditional', signal: suggesting.signal })
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    suggesting?.abort()
    failed.textContent = ''
    ask({}).catch(() => (failed.textContent = failed.dataset.failed))
  })
  if (asks === 'get-or-suggest') suggest().catch(() => undefined)
}

if (window.PublicKeyCredential) {
  for (const section of document.querySelectorAll('[data-passkey]')) {
    section.hidden = false
    prepare(section.querySelector('form'))
  }
}
`
