import { renderUnicodeCompact } from 'uqr'
import { systemClock } from '../../base/clock.ts'
import { Problem, problem } from '../../base/problem.ts'
import { awaitAnswer, beginDevice, findGate, register, revoke, type Code } from '../authorization.ts'
import { command } from '../command.ts'
import { createPrinter, type Printer } from '../print.ts'
import { signInsOf } from '../sign-ins.ts'
import { requireToken } from '../token.ts'
import type { World } from '../world.ts'

const URL_ARGUMENT = { name: 'url', says: 'The gate’s address; with /mcp/<server> that server alone.' } as const

const login = command({
  name: 'login',
  does: 'Signs you in to a gate elsewhere: shows a code that you enter in any browser.',
  arguments: [URL_ARGUMENT],
  options: { 'client-id': { value: 'id', says: 'A client the gate knows, where it lets none register.' } },
  examples: { 'login https://gate.example.com': 'on a machine without a browser' },
  async run({ arguments: { url }, options }, world) {
    const gate = await findGate(url)
    const clientId = options['client-id'] ?? (await register(gate))
    const code = await beginDevice(gate, clientId)
    const print = createPrinter(world)
    showCode(code, print, world)
    const tokens = await awaitAnswer(gate, clientId, code)
    await signInsOf(world).change(gate.resource, () => Promise.resolve({ clientId, ...tokens }))
    print.line(`You are signed in at ${gate.resource}.`)
  },
})

const logout = command({
  name: 'logout',
  does: 'Signs you out of a gate that you signed in to from here: its tokens end.',
  arguments: [URL_ARGUMENT],
  options: {},
  examples: { 'logout https://gate.example.com': 'nothing of it is left here' },
  async run({ arguments: { url } }, world) {
    const gate = await findGate(url)
    // First here: whatever becomes of the rest, nothing of it is kept.
    const known = await signInsOf(world)
      .remove(gate.resource)
      .catch((error: unknown) => Promise.reject(untoldOr(error)))
    if (known === undefined) throw problem('cli.login_missing', { url: gate.resource })
    await revoke(gate, known.clientId, known.refreshToken ?? known.accessToken)
    createPrinter(world).line(`You are signed out of ${gate.resource}.`)
  },
})

/** Who cannot know the tokens cannot end them. */
function untoldOr(error: unknown): unknown {
  if (!(error instanceof Problem) || error.code !== 'cli.login_locked') return error
  return problem('cli.logout_untold', { ...error.details, cause: error })
}

const accessToken = command({
  name: 'access-token',
  does: 'Prints an access token of the gate you signed in to, renewed where it is about to end.',
  arguments: [URL_ARGUMENT],
  options: {},
  examples: {
    'access-token https://gate.example.com': 'for a client that takes a header: Authorization: Bearer …',
  },
  async run({ arguments: { url } }, world) {
    const gate = await findGate(url)
    createPrinter(world).line((await requireToken(gate, signInsOf(world), systemClock)).reveal())
  },
})

export const loginCommands = [login, logout, accessToken]

/** The picture is for a telephone, and for people: what is piped elsewhere has none. */
function showCode(code: Code, print: Printer, { errors }: Pick<World, 'errors'>): void {
  const { verification_uri: address, verification_uri_complete: whole = address, user_code: userCode } = code
  print.note(`Open ${address} in any browser, and enter this code:\n\n  ${userCode}\n`)
  if (errors.isTTY === true) print.note(`${renderUnicodeCompact(whole)}\n`)
  print.note(`It is good for ${Math.floor(code.expires_in / 60)} minutes. Compare it with what the page shows.`)
}
