import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { createMalHandler, type MalHandler } from '../../src/handler.ts'
import type { MalSettings } from '../../src/settings.ts'
import { readMessages, requestOf, type CallOptions } from './call.ts'

export interface Emulated extends AsyncDisposable {
  readonly mal: MalEmulator
  /** Where the emulated MyAnimeList is. */
  readonly url: string
  readonly handler: MalHandler
  /** What a tool answers to an emulated user, who signs in anew for each call unless `options` bring a token. */
  call(user: string, tool: string, args?: object, options?: CallOptions): Promise<Answer>
  /** The result of any request, or its error. */
  ask(user: string, method: string, params?: object, options?: CallOptions): Promise<Asked>
  /** What `tools/list` answers, as it is sent; `toolsets` as in the header. */
  list(toolsets: string, options?: CallOptions): Promise<readonly Listed[]>
}

export interface Answer {
  readonly isError: boolean
  readonly text: string
  readonly structured: Readonly<Record<string, unknown>>
  /** Resources that came with it. */
  readonly files: readonly File[]
}

export interface File {
  readonly uri: string
  readonly mimeType: string
  readonly text?: string
  readonly blob?: string
}

/** What came over HTTP: the result or the error of the last message. */
export interface Asked {
  readonly status: number
  readonly result: Readonly<Record<string, unknown>>
  readonly error: { readonly code: number; readonly message: string } | undefined
}

/** A tool as a client is told of it. */
export interface Listed {
  readonly name: string
}

/** The server in front of the emulated MyAnimeList, both real, with all tools and without waiting. */
export async function startEmulated(settings: MalSettings = {}): Promise<Emulated> {
  const mal = createMalEmulator()
  const { url } = await mal.listen()
  const handler = createMalHandler({
    apiBaseUrl: `${url}/v2`,
    pace: { burst: 1000, perSecond: 1000 },
    retryDelaysMs: [1, 2, 4],
    ...settings,
  })

  return {
    mal,
    url,
    handler,
    async call(user, name, args = {}, options = {}) {
      const token = options.token ?? mal.issueTokens(user).accessToken
      const request = requestOf('tools/call', { name, arguments: args }, options)
      request.headers.set('x-mcp-toolsets', 'all')
      const response = await handler.fetch(request, { authInfo: { token, clientId: 'test', scopes: [] } })
      const result = readMessages(await response.text()).at(-1)?.result
      return {
        isError: result?.isError ?? false,
        text: result?.content?.[0]?.text ?? '',
        structured: result?.structuredContent ?? {},
        files: (result?.content ?? []).flatMap((one) => ('resource' in one ? [one.resource as File] : [])),
      }
    },
    async ask(user, method, params = {}, options = {}) {
      const token = user === '' ? '' : mal.issueTokens(user).accessToken
      const request = requestOf(method, params, options)
      const response = await handler.fetch(request, { authInfo: { token, clientId: 'test', scopes: [] } })
      const message: Partial<Asked> = readMessages(await response.text()).at(-1) ?? {}
      return { status: response.status, result: message.result ?? {}, error: message.error }
    },
    async list(toolsets, options = {}) {
      const request = requestOf('tools/list', {}, options)
      request.headers.set('x-mcp-toolsets', toolsets)
      const response = await handler.fetch(request)
      return readMessages(await response.text()).at(-1)?.result?.tools ?? []
    },
    async [Symbol.asyncDispose]() {
      await handler.close()
      await mal.close()
    },
  }
}
