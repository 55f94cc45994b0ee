import { setTimeout as pause } from 'node:timers/promises'
import { Problem, problem } from '../../base/problem.ts'
import { isRecord } from '../../base/json-rpc.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Greet, GreetChannel, Greeted } from '../children/child.ts'
import type { ClientView } from '../client.ts'
import { otherEra, type EraName, type UpstreamEra, type UpstreamEras } from '../era.ts'

/** After how long without an answer the other era is tried too; the first may still answer. */
const SILENCE_MS = 5_000

/**
 * Opens the protocol with a new child and remembers, for the next, which era its server speaks.
 *
 * The first time the older era is tried first: some servers of that era end at any message before
 * `initialize`, while one that speaks only the newer era answers with an error and lives on.
 */
export function createGreet(eras: UpstreamEras): Greet {
  const spoken = new Map<UpstreamId, EraName>()
  return async (channel, { upstream, capabilities }) => {
    const first = spoken.get(upstream) ?? 'legacy'
    const client: ClientView = { capabilities, session: undefined, logLevel: undefined }
    const probe = open(channel, eras[first], client)
    const early = await Promise.race([probe.catch(() => undefined), pause(SILENCE_MS, undefined, { ref: false })])
    const other = () => open(channel, eras[otherEra(first)], client)
    const greeted =
      early ?? (await Promise.any([probe, other()]).catch((cause: unknown) => unsupported(upstream, cause)))
    spoken.set(upstream, greeted.handshake.era)
    return welcome(channel, greeted)
  }
}

/** Opens the protocol where only one era can be meant. */
export function createGreetIn(era: UpstreamEra): Greet {
  return async (channel, { upstream, capabilities }) => {
    const client: ClientView = { capabilities, session: undefined, logLevel: undefined }
    const greeted = await open(channel, era, client).catch((cause: unknown) => unsupported(upstream, cause))
    return welcome(channel, greeted)
  }
}

async function open(channel: GreetChannel, era: UpstreamEra, client: ClientView): Promise<Greeted> {
  const { method, params } = era.opening(client)
  const answer: unknown = JSON.parse((await channel.request(method, params)).toString())
  const handshake = isRecord(answer) ? era.accept(answer['result']) : undefined
  if (!handshake) throw new Error(`the server does not accept ${method}`)
  return { handshake, era }
}

/** @throws {Problem} what ended it, where it ended over that. */
function unsupported(server: UpstreamId, cause: unknown): never {
  throw cause instanceof Problem ? cause : problem('upstream.unsupported', { server, cause })
}

function welcome(channel: GreetChannel, greeted: Greeted): Greeted {
  const { opened } = greeted.era
  if (opened !== undefined) channel.notify(opened)
  return greeted
}
