import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../base/problem.ts'
import { isRecord } from '../../base/json-rpc.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Greet, GreetChannel } from '../children/child.ts'
import { otherEra, type EraName, type Handshake, type UpstreamEra, type UpstreamEras } from '../era.ts'

/** After how long without an answer the other era is tried too; the first may still answer. */
const SILENCE_MS = 5_000

/**
 * Opens the protocol with a new child and remembers, for the next, which era its server speaks.
 *
 * The first time the older era is tried first: some servers of that era end at any message before
 * `initialize`, while one that speaks only the newer era answers with an error and lives on.
 */
export function createGreet(eras: UpstreamEras): Greet<Handshake> {
  const spoken = new Map<UpstreamId, EraName>()
  return async (channel, { upstream }) => {
    const first = spoken.get(upstream) ?? 'legacy'
    const probe = open(channel, eras[first])
    const early = await Promise.race([probe.catch(() => undefined), pause(SILENCE_MS, undefined, { ref: false })])
    const handshake = early ?? (await Promise.any([probe, open(channel, eras[otherEra(first)])]).catch(unsupported))
    spoken.set(upstream, handshake.era)
    const { opened } = eras[handshake.era]
    if (opened !== undefined) channel.notify(opened)
    return handshake

    function unsupported(cause: unknown): never {
      throw problem('upstream.unsupported', { server: upstream, cause })
    }
  }
}

async function open(channel: GreetChannel, { opening, accept }: UpstreamEra): Promise<Handshake> {
  const answer: unknown = JSON.parse((await channel.request(opening.method, opening.params)).toString())
  const handshake = isRecord(answer) ? accept(answer['result']) : undefined
  if (!handshake) throw new Error(`the server does not accept ${opening.method}`)
  return handshake
}
