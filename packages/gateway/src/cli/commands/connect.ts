import { systemClock } from '../../base/clock.ts'
import { findGate } from '../authorization.ts'
import { carry } from '../bridge.ts'
import { command } from '../command.ts'
import { createPrinter } from '../print.ts'
import { signInsOf } from '../sign-ins.ts'
import { requireToken } from '../token.ts'

export const connect = command({
  name: 'connect',
  does: 'Joins a client that speaks stdio only to the gate you signed in to.',
  arguments: [{ name: 'url', says: 'The gate’s address; with /mcp/<server> that server alone.' }],
  options: {},
  examples: { 'connect https://gate.example.com': 'as the command of a server in the client’s configuration' },
  async run({ arguments: { url } }, world) {
    const gate = await findGate(url)
    const signIns = signInsOf(world)
    const token = (refused?: Parameters<typeof requireToken>[3]) => requireToken(gate, signIns, systemClock, refused)
    // Said at once, and not with the first message.
    await token()
    const { input, output } = world
    await carry({ url: gate.resource, token, input, output, note: createPrinter(world).note })
  },
})
