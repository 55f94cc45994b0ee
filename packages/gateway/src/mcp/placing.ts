import type { UpstreamId } from '../base/ids.ts'
import { targetOf, withName, withParams, type RpcRequest } from '../base/json-rpc.ts'
import { problem } from '../base/problem.ts'
import { maySeeUpstream } from '../identity/principal.ts'
import { exposeTask, readTask } from '../registry/names.ts'
import type { Item, Registry } from '../registry/registry.ts'
import type { Answer } from '../upstreams/transport.ts'
import type { SealedFor, Seals } from './bridge/states.ts'
import type { Context } from './context.ts'
import type { Target } from './eras/operations.ts'
import { exposeAnswer, exposeNotification, exposeTasks, restoreParams, withPrompt, type NameTask } from './exposed.ts'
import { isReadOnly } from './narrowing.ts'
import { checkParamHeaders, makeParamHeaders } from './param-headers.ts'

/** A request with the server that is to answer it. */
export interface Placed {
  readonly upstream: UpstreamId
  /** As the server shall see it: with its own names, URIs and states. */
  readonly request: RpcRequest
  /** The tool or prompt, where it is one. */
  readonly item: Item | undefined
  readonly paramHeaders: readonly string[]
  /** Whether users look alike to that server. */
  readonly shared: boolean
  /** Whether the answer must be seen as a whole, since its URIs have other names outside. */
  readonly whole: boolean
}

export interface PlacingNeeds {
  readonly registry: Pick<Registry, 'require' | 'named'>
  /** Whether users look alike to an upstream: then what it gave to one of them is bound to them by the gate. */
  isShared(upstream: UpstreamId): boolean
  /** Whether an upstream is only read, by everybody. */
  isReadOnly(upstream: UpstreamId): boolean
  readonly seals: Seals
}

/** Finds the server that a request is for, and puts the names there and the names here in place of each other. */
export interface Placing {
  /**
   * Where the request goes, and how it reads there.
   *
   * @throws {Problem} `tool.unknown`, `prompt.unknown`, `resource.unknown`, `task.unknown` also where there is one that
   * this caller may not see; `request.params`, `request.header_mismatch`, `call.state`, `tool.read_only`
   */
  place(request: RpcRequest, target: Target, ctx: Context): Placed | Promise<Placed>
  /**
   * That a call which that server began earlier may go on: its user may have switched changes off since, the client
   * asks for none, or comes with a key to which that server is not open.
   *
   * @throws {Problem} `call.state` with such a key; `tool.read_only`; where nothing may be changed, also `call.state` at
   * the endpoint of another server, and what `place` says of a tool that cannot be looked at any more
   */
  mayGoOn(request: RpcRequest, server: UpstreamId, ctx: Context): Promise<void>
  /** The answer as the client shall see it. @throws {Problem} `upstream.bad_answer` */
  shown(answer: Answer, placed: Placed, ctx: Context): Answer
  /** A notification in mid-call as the client shall see it. @throws {Problem} `upstream.bad_answer` */
  told(message: Buffer, method: string, placed: Placed, ctx: Context): Buffer
}

export function createPlacing({ registry, isShared, seals, ...needs }: PlacingNeeds): Placing {
  function place(request: RpcRequest, target: Target, ctx: Context): Placed | Promise<Placed> {
    switch (target) {
      case 'tool':
        return placeNamed(request, 'tools', ctx)
      case 'prompt':
        return placeNamed(request, 'prompts', ctx)
      case 'resource':
        return placeResource(request, ctx)
      case 'completion':
        return placeCompletion(request, ctx)
      case 'task':
        return placeTask(request, ctx)
      case 'any':
        return placeAny(request, ctx)
    }
  }

  function placeNamed(request: RpcRequest, kind: 'tools' | 'prompts', ctx: Context): Placed | Promise<Placed> {
    const { name } = request
    if (name === undefined) throw problem('request.params', { reason: 'name is missing' })
    const found = registry.require(ctx, kind, name)
    if (!(found instanceof Promise)) return placeItem(request, found, kind, ctx)
    return found.then((item) => placeItem(request, item, kind, ctx))
  }

  async function mayGoOn({ method, name }: RpcRequest, server: UpstreamId, ctx: Context): Promise<void> {
    if (!maySeeUpstream(ctx.principal, server)) throw problem('call.state', { server })
    if (method !== 'tools/call' || name === undefined || !onlyReads(ctx, server)) return
    const item = await registry.require(ctx, 'tools', name)
    // A state says nothing of the endpoint it was given at, where another tool may have the same name.
    if (item.upstream !== server) throw problem('call.state', { server })
    mayBeCalled(item, ctx)
  }

  function placeItem(request: RpcRequest, item: Item, kind: 'tools' | 'prompts', ctx: Context): Placed {
    if (kind === 'tools') mayBeCalled(item, ctx)
    return placed(withName(request, item.name), item.upstream, item, ctx)
  }

  /** @throws {Problem} `tool.read_only` */
  function mayBeCalled({ upstream: server, readOnly, name }: Item, ctx: Context): void {
    if (!readOnly && onlyReads(ctx, server)) throw problem('tool.read_only', { tool: name.slice(0, 128), server })
  }

  /** @throws {Problem} `tool.read_only` for a method of which it is not known that it changes nothing */
  function mayBeAsked({ method }: RpcRequest, server: UpstreamId, ctx: Context): void {
    if (!HARMLESS.has(method) && onlyReads(ctx, server))
      throw problem('tool.read_only', { tool: method.slice(0, 100), server })
  }

  function onlyReads(ctx: Context, server: UpstreamId): boolean {
    return isReadOnly(ctx, server, needs.isReadOnly(server))
  }

  function placeResource(request: RpcRequest, ctx: Context): Placed {
    if (request.uri === undefined) throw problem('request.params', { reason: 'uri is missing' })
    if (ctx.server !== undefined) return placed(request, ctx.server, undefined, ctx)
    const restored = restoreParams(request)
    const server = restored && find(restored.server, ctx)
    if (!server) throw problem('resource.unknown', { uri: request.uri.slice(0, 300) })
    return placed(restored.request, server, undefined, ctx)
  }

  async function placeCompletion(request: RpcRequest, ctx: Context): Promise<Placed> {
    if (ctx.server !== undefined) return placed(request, ctx.server, undefined, ctx)
    const restored = restoreParams(request)
    const server = restored && find(restored.server, ctx)
    if (!server) throw problem('request.params', { reason: 'ref names no prompt or resource that is listed here' })
    if (restored.prompt === undefined) return placed(restored.request, server, undefined, ctx)
    const prompt = await registry.require(ctx, 'prompts', restored.prompt)
    return placed(withPrompt(request, prompt.name), prompt.upstream, undefined, ctx)
  }

  function placeTask(request: RpcRequest, ctx: Context): Placed {
    const exposed = request.paramsValue?.['taskId']
    if (typeof exposed !== 'string') throw problem('request.params', { reason: 'taskId is missing' })
    const named = ctx.server === undefined ? readTask(exposed) : { server: ctx.server, id: exposed }
    const server = named && find(named.server, ctx)
    if (!server) throw problem('task.unknown')
    mayBeAsked(request, server, ctx)
    const { id } = named
    const taskId = isShared(server) ? seals.openTask({ ...ctx.principal, upstream: server }, id) : id
    const own = taskId === exposed ? request : withParams(request, { taskId: JSON.stringify(taskId) })
    return placed(own, server, undefined, ctx)
  }

  /** A list of tasks that users who look alike have together is for none of them. */
  function placeAny(request: RpcRequest, ctx: Context): Placed {
    const { method } = request
    const { server } = ctx
    if (server === undefined || (method === 'tasks/list' && isShared(server)))
      throw problem('request.method_unknown', { method: method.slice(0, 100) })
    mayBeAsked(request, server, ctx)
    return placed(request, server, undefined, ctx)
  }

  function placed(request: RpcRequest, upstream: UpstreamId, item: Item | undefined, ctx: Context): Placed {
    const shared = isShared(upstream)
    const opened = shared ? seals.openState(request, sealedFor(ctx, upstream, request)) : request
    if (!shared) seals.refuseSealed(request, upstream)
    const own = item?.paramHeaders ? paramHeadersFor(request, item, ctx) : ctx.paramHeaders
    const paramHeaders = onlyReads(ctx, upstream) ? [...own, ...READ_ONLY] : own
    return { upstream, request: opened, item, paramHeaders, shared, whole: ctx.server === undefined }
  }

  /** The server of that name, where this caller may see it. */
  function find(name: string, { principal }: Context): UpstreamId | undefined {
    const server = registry.named(name)
    return server !== undefined && maySeeUpstream(principal, server) ? server : undefined
  }

  /** How the ids of this caller's tasks are named outside; `undefined` where they need no other name. */
  function taskNames(upstream: UpstreamId, { principal, server }: Context): NameTask | undefined {
    if (!isShared(upstream)) return server === undefined ? exposeTask : undefined
    const holder = { ...principal, upstream }
    if (server !== undefined) return (_server, id) => seals.sealTask(holder, id)
    return (own, id) => exposeTask(own, seals.sealTask(holder, id))
  }

  return {
    place,
    mayGoOn,
    shown(answer, { upstream, request, shared, whole }, ctx) {
      // Of one that is too large to be held nothing is sealed, and so nothing of it opens anything later.
      if (answer.kind === 'stream' || !(shared || whole)) return answer
      const { method } = request
      const sealed = shared ? seals.sealState(answer.bytes, sealedFor(ctx, upstream, request)) : answer.bytes
      const names = taskNames(upstream, ctx)
      const expose = whole ? exposeAnswer : exposeTasks
      const bytes = names ? expose(sealed, upstream, method, names) : sealed
      return bytes === answer.bytes ? answer : { ...answer, bytes }
    },
    told(message, method, { upstream }, ctx) {
      return ctx.server === undefined
        ? exposeNotification(message, method, upstream, taskNames(upstream, ctx))
        : message
    },
  }
}

/**
 * What may be done with a task where nothing may be changed: to look at it, and to stop it. What a task goes on with that
 * is given more is not known, and nor is what a method of a server's own does.
 */
const HARMLESS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'])

/** A server that knows the header holds itself to it as well, and says so where it is asked. */
const READ_ONLY = ['X-MCP-Readonly', 'true'] as const

function sealedFor({ principal }: Context, upstream: UpstreamId, request: RpcRequest): SealedFor {
  const { tenant, userId } = principal
  return { tenant, userId, upstream, method: request.method, target: targetOf(request) ?? '' }
}

/** A client of this revision mirrors arguments in headers, which must agree; for an older one the gate does it. */
function paramHeadersFor(request: RpcRequest, { paramHeaders }: Item, ctx: Context): readonly string[] {
  if (paramHeaders === undefined) return ctx.paramHeaders
  if (ctx.era.name === 'legacy') return makeParamHeaders(request, paramHeaders)
  checkParamHeaders(request, ctx.paramHeaders, paramHeaders)
  return ctx.paramHeaders
}
