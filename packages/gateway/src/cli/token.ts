import type { Clock } from '../base/clock.ts'
import { Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { renew, type Gate } from './authorization.ts'
import type { SignedIn, SignIns } from './sign-ins.ts'

/** An access token that ends sooner than that is renewed. */
const SOON_MS = 60_000

/**
 * An access token for the gate that is good for a while yet. One that the gate has `refused` is renewed whatever it says
 * of itself.
 *
 * @throws {Problem} `cli.login_missing`, `cli.login_locked`, `cli.login_over`, `cli.login_refused`
 */
export async function requireToken(gate: Gate, signIns: SignIns, clock: Clock, refused?: Secret): Promise<Secret> {
  const isGood = ({ endsAt, accessToken }: SignedIn) =>
    endsAt - clock.now() > SOON_MS && accessToken.reveal() !== refused?.reveal()
  const known = await signIns.find(gate.resource)
  if (known === undefined) throw problem('cli.login_missing', { url: gate.resource })
  if (isGood(known)) return known.accessToken
  const renewed = await signIns.change(gate.resource, async (open) => {
    const before = await open()
    // Another process may have been first.
    if (before === undefined || isGood(before)) return before
    return { clientId: before.clientId, ...(await renewOnce(gate, before)) }
  })
  if (renewed === undefined) throw problem('cli.login_missing', { url: gate.resource })
  return renewed.accessToken
}

async function renewOnce(gate: Gate, { clientId, refreshToken }: SignedIn) {
  if (refreshToken === undefined) throw problem('cli.login_over', { url: gate.resource })
  try {
    const tokens = await renew(gate, clientId, refreshToken)
    return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken }
  } catch (error) {
    const isOver = error instanceof Problem && OVER.has(String(error.details['reason']))
    throw isOver ? problem('cli.login_over', { url: gate.resource, cause: error }) : error
  }
}

const OVER: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_client'])
