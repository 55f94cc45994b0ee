import type { z } from 'zod'
import { problem } from '../base/problem.ts'
import { Failure } from './answers.ts'
import { HERE, openAddress, openSocket, unreachable, type Ask, type Door, type Reply } from './doors.ts'
import { requireKey } from './key.ts'
import type { World } from './world.ts'

/** Which gate is meant: one with an address, or the one of the data directory. */
export interface GateOptions {
  readonly url: string | undefined
  readonly 'key-file': string | undefined
  readonly tenant: string | undefined
}

/** The rows of those options, for the commands that ask a gate. */
export const gateOptions = {
  url: {
    value: 'url',
    says: 'Ask the gate at this address, with an API key, instead of the one of the data directory.',
  },
  'key-file': { value: 'file', says: 'Where the API key for --url is. Without it, SEKISHO_KEY holds the key.' },
  tenant: {
    value: 'name',
    says: 'The tenant that is meant, as the configuration names it, where it is not the first. Not with --url: a key is of one tenant.',
  },
  json: { says: 'Answer in JSON.' },
} as const

/** The gate refused; the words are its own. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal'
  readonly fix: string

  constructor({ message, details: { fix, requestId } }: Failure['error']) {
    super(message)
    this.fix = requestId === undefined ? fix : `${fix} (Request ${requestId}.)`
  }
}

export interface GateCall {
  readonly method: Ask['method']
  /** The steps below `/admin/api/`, as they are. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: object
}

/** The gate, to be asked. */
export interface Client {
  /** Sends a call and reads the answer as the shape says. @throws {GateRefusal | Problem} `gate.*` */
  ask<T extends z.ZodType>(call: GateCall, shape: T): Promise<z.output<T>>
  /** As {@link Client.ask}, where the answer is text. */
  read(call: GateCall): Promise<string>
}

/** @throws {Problem} `cli.key_missing`, `cli.tenant_of_key`, `cli.file_unreadable`, `gate.unreachable` for an address that is none */
export async function createClient(options: GateOptions, world: World): Promise<Client> {
  const door = await openDoor(options, world)
  const send = async ({ method, path, query = {}, body }: GateCall): Promise<Reply> => {
    const reply = await door({ method, path: pathOf(path, query), body: body && JSON.stringify(body) })
    if (reply.status >= 300) throw refusalOf(reply, options.url)
    return reply
  }
  return {
    async ask(call, shape) {
      const reply = await send(call)
      const read = shape.safeParse(readJson(reply.text))
      if (!read.success) throw noGate(reply, options.url)
      return read.data
    },
    read: async (call) => (await send(call)).text,
  }
}

async function openDoor({ url, 'key-file': keyFile, tenant }: GateOptions, world: World): Promise<Door> {
  if (url === undefined) return openSocket(world, tenant)
  if (tenant !== undefined) throw problem('cli.tenant_of_key')
  return openAddress(url, await requireKey(keyFile, world))
}

function pathOf(steps: readonly string[], query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value)
  const path = `/admin/api/${steps.map(encodeURIComponent).join('/')}`
  return search.size === 0 ? path : `${path}?${search.toString()}`
}

/** `undefined` for what is not JSON, and for an answer that says nothing. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalOf(reply: Reply, url: string | undefined): Error {
  const failure = Failure.safeParse(readJson(reply.text))
  return failure.success ? new GateRefusal(failure.data.error) : noGate(reply, url)
}

function noGate({ status }: Reply, url = HERE): Error {
  return unreachable(url, `it answers ${status}, and not as a gate`)
}
