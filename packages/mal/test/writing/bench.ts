import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { createMalHandler } from '../../src/handler.ts'
import type { MalSettings } from '../../src/settings.ts'
import { createFileStorage } from '../../src/storage/file.ts'
import { toolsets } from '../../src/tools/tool.ts'
import { readCalled, requestOf, type Called } from '../support/call.ts'

export interface Bench extends AsyncDisposable {
  readonly emulator: MalEmulator
  readonly apiBaseUrl: string
  readonly token: string
  readonly folder: string
  /** Calls a tool, as a client of 2026-07-28; over another server in front of the same account where one is named. */
  call(tool: string, args?: object, how?: How): Promise<Called>
  /** Another process in front of the same account, with its own settings. */
  another(settings?: MalSettings): Server
  /** The whole list as MyAnimeList has it, comments included, by id. */
  truth(kind: 'anime' | 'manga'): Promise<Map<number, object>>
  /** Changes something behind the server's back, as its owner does on the web. */
  edit(path: string, form: Record<string, string> | 'delete'): Promise<void>
}

export interface How {
  readonly server?: Server
  readonly signal?: AbortSignal
  readonly progressToken?: string
  /** Another token of the same account. */
  readonly token?: string
}

export type Server = ReturnType<typeof createMalHandler>

const quick: MalSettings = {
  pace: { burst: 100_000, perSecond: 100_000 },
  retryDelaysMs: [1, 2, 4],
  toolsets: new Set(toolsets),
}

/** Any server of ours in front of emulated MyAnimeList, as quick as it goes. */
export async function startBench(user = 'mika', settings: MalSettings = {}): Promise<Bench> {
  const emulator = createMalEmulator({ seed: 7 })
  const { url } = await emulator.listen()
  const apiBaseUrl = `${url}/v2`
  const token = emulator.issueTokens(user).accessToken
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-mal-'))
  const servers: Server[] = []
  const another = (more: MalSettings = {}) => {
    const server = createMalHandler({ apiBaseUrl, storage: createFileStorage(folder), ...quick, ...settings, ...more })
    servers.push(server)
    return server
  }
  const first = another()

  async function ask(path: string, init: { method?: string; body?: URLSearchParams } = {}) {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${apiBaseUrl}${path}`, { ...init, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return JSON.parse(await response.text())
  }

  return {
    emulator,
    apiBaseUrl,
    token,
    folder,
    another,
    call: (tool, args = {}, { server = first, ...how } = {}) => callTool(server, { tool, args, token, ...how }),
    async truth(kind) {
      const page = await ask(`/users/@me/${kind}list?limit=1000&nsfw=true&fields=list_status`)
      const ids: number[] = page.data.map(({ node }: { node: { id: number } }) => node.id)
      const fields =
        'my_list_status{status,score,num_episodes_watched,num_chapters_read,num_volumes_read,is_rewatching,' +
        'is_rereading,start_date,finish_date,priority,num_times_rewatched,num_times_reread,rewatch_value,' +
        'reread_value,tags,comments}'
      const truth = new Map<number, object>()
      for (const id of ids) {
        const { my_list_status: status } = await ask(`/${kind}/${id}?fields=${fields}`)
        const { updated_at: _, ...noted } = status
        truth.set(id, { ...noted, tags: noted.tags?.toSorted() })
      }
      return new Map([...truth].toSorted(([a], [b]) => a - b))
    },
    async edit(path, form) {
      if (form === 'delete') await ask(`${path}/my_list_status`, { method: 'DELETE' })
      else await ask(`${path}/my_list_status`, { method: 'PATCH', body: new URLSearchParams(form) })
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.close()
      await emulator.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function callTool(
  server: Server,
  { tool: name, args, token, ...how }: Omit<How, 'server'> & { tool: string; args: object; token: string },
): Promise<Called> {
  const request = requestOf('tools/call', { name, arguments: args }, how)
  const response = await server.fetch(request, { authInfo: { token, clientId: 'ada', scopes: [] } })
  return readCalled(response)
}
