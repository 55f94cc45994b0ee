import type { UpstreamId } from '../base/ids.ts'
import { isRecord, withParams, type RpcRequest } from '../base/json-rpc.ts'
import { eachMember, elements, findMember, splice, type Edit, type Span } from '../base/json-spans.ts'
import { problem } from '../base/problem.ts'
import { exposeTask, exposeUriAt, readUri, serverOf } from '../registry/names.ts'

/** Gives the id of a task another name, by which alone it is known outside. */
export type NameTask = (server: UpstreamId, id: string) => string

/**
 * The answer of a server as the merged endpoint shows it: the URIs of resources and the ids of tasks in it have their
 * server's name with them. Every other byte stays; where there is nothing to name it is the very same buffer.
 *
 * @param bytes one JSON-RPC response, `method` that of the request.
 * @throws {Problem} `upstream.bad_answer` where it is no JSON.
 */
export function exposeAnswer(
  bytes: Buffer,
  server: UpstreamId,
  method: string,
  nameTask: NameTask = exposeTask,
): Buffer {
  const hasUris = (HOLDERS.has(method) || isOfTasks(method)) && bytes.includes(URI)
  if (!hasUris && !bytes.includes(TASK_ID)) return bytes
  return edited({ bytes, server, nameTask, hasUris }, 'result', (walk, at) => exposeResult(walk, at, method))
}

/** The same of the ids of tasks alone, where the URIs are those of the one server there is. */
export function exposeTasks(bytes: Buffer, server: UpstreamId, method: string, nameTask: NameTask): Buffer {
  if (!bytes.includes(TASK_ID)) return bytes
  return edited({ bytes, server, nameTask, hasUris: false }, 'result', (walk, at) => exposeResult(walk, at, method))
}

/**
 * A notification of a server as the merged endpoint shows it.
 *
 * @throws {Problem} `upstream.bad_answer`
 */
export function exposeNotification(
  bytes: Buffer,
  method: string,
  server: UpstreamId,
  nameTask: NameTask = exposeTask,
): Buffer {
  const isUpdate = method === 'notifications/resources/updated'
  const isOfTask = TASK_NEWS.has(method)
  const hasUris = (isUpdate || isOfTask) && bytes.includes(URI)
  if (!hasUris && !bytes.includes(TASK_ID)) return bytes
  return edited({ bytes, server, nameTask, hasUris }, 'params', (walk, at) => {
    const members = membersOf(walk, at)
    if (isUpdate) exposeUri(walk, members.get('uri'))
    if (isOfTask) exposeTaskOf(walk, members)
    exposeRelated(walk, members.get('_meta'))
  })
}

const URI = Buffer.from('"uri"')
const TASK_ID = Buffer.from('"taskId"')
const TASK_NEWS: ReadonlySet<string> = new Set(['notifications/tasks', 'notifications/tasks/status'])
/** What a message about a task says in its `_meta`. @see MCP 2025-11-25, basic/utilities/tasks#related-task-metadata */
const RELATED = 'io.modelcontextprotocol/related-task'

/** Whose words are looked through, and what has been found to change in them. */
interface Walk {
  readonly bytes: Buffer
  readonly server: UpstreamId
  readonly nameTask: NameTask
  /** Whether there may be a URI at all. */
  readonly hasUris: boolean
  readonly edits: Edit[]
}

/** Looks at one value of an object. */
type Look = (walk: Walk, at: Span) => void
type Members = ReadonlyMap<string, Span>

function edited(about: Omit<Walk, 'edits'>, member: 'result' | 'params', look: Look): Buffer {
  const { bytes, server } = about
  const walk: Walk = { ...about, edits: [] }
  try {
    const at = findMember(bytes, 0, member)
    if (at) look(walk, at)
  } catch (cause) {
    throw problem('upstream.bad_answer', { server, reason: 'not valid JSON', cause })
  }
  if (walk.edits.length === 0) return bytes
  return splice(
    bytes,
    walk.edits.sort((one, other) => one.start - other.start),
  )
}

function exposeResult(walk: Walk, at: Span, method: string): void {
  const members = membersOf(walk, at)
  exposeHeld(walk, members, method)
  if (isOfTasks(method) || textAt(walk, members.get('resultType')) === 'task') exposeTaskOf(walk, members)
  if (members.has('task') && !members.has('content')) exposeTaskOf(walk, membersOf(walk, members.get('task')))
  if (method === 'tasks/list') each(walk, members.get('tasks'), (_, task) => exposeTaskOf(walk, membersOf(walk, task)))
  exposeRelated(walk, members.get('_meta'))
}

function isOfTasks(method: string): boolean {
  return method.startsWith('tasks/')
}

/** A task, or news of one: its id, and the result where there is one already, of whatever was asked for. */
function exposeTaskOf(walk: Walk, members: Members): void {
  exposeId(walk, members.get('taskId'))
  const result = members.get('result')
  if (!result) return
  const inner = membersOf(walk, result)
  exposeHeld(walk, inner, 'tasks/')
  exposeRelated(walk, inner.get('_meta'))
}

function exposeRelated(walk: Walk, meta: Span | undefined): void {
  const related = membersOf(walk, meta).get(RELATED)
  exposeId(walk, membersOf(walk, related).get('taskId'))
}

function exposeId(walk: Walk, at: Span | undefined): void {
  const id = textAt(walk, at)
  if (at && id !== undefined) walk.edits.push({ ...at, by: JSON.stringify(walk.nameTask(walk.server, id)) })
}

/** Exposes what the result of such a request holds; a task may have been any of them. */
function exposeHeld(walk: Walk, members: Members, method: string): void {
  if (!walk.hasUris) return
  const only = HOLDERS.get(method)
  for (const holder of only ? [only] : HOLDERS.values()) each(walk, members.get(holder.member), holder.look)
}

/** By the request: the member of its result that is a list, and what is in it. */
const HOLDERS: ReadonlyMap<string, { readonly member: string; readonly look: Look }> = new Map([
  ['tools/call', { member: 'content', look: exposeBlock }],
  ['prompts/get', { member: 'messages', look: exposeMessage }],
  ['resources/read', { member: 'contents', look: exposeContents }],
])

function exposeMessage(walk: Walk, at: Span): void {
  const content = membersOf(walk, at).get('content')
  if (content && walk.bytes[content.start] === OPEN_BRACKET) each(walk, content, exposeBlock)
  else if (content) exposeBlock(walk, content)
}

/** A block of content that links to a resource, or has it within. */
function exposeBlock(walk: Walk, at: Span): void {
  const members = membersOf(walk, at)
  const type = textAt(walk, members.get('type'))
  if (type === 'resource_link') exposeUri(walk, members.get('uri'))
  if (type === 'resource') exposeContents(walk, members.get('resource'))
}

function exposeContents(walk: Walk, at: Span | undefined): void {
  exposeUri(walk, membersOf(walk, at).get('uri'))
}

function exposeUri({ bytes, server, edits }: Walk, at: Span | undefined): void {
  const edit = at && exposeUriAt(bytes, at, server)
  if (edit) edits.push(edit)
}

function each(walk: Walk, at: Span | undefined, look: Look): void {
  if (!at || walk.bytes[at.start] !== OPEN_BRACKET) return
  for (const element of elements(walk.bytes, at.start)) look(walk, element)
}

/** The members of an object, the last where a key stands twice; none of anything else. */
function membersOf({ bytes }: Walk, at: Span | undefined): Members {
  const members = new Map<string, Span>()
  if (!at || bytes[at.start] !== OPEN_BRACE) return members
  eachMember(bytes, at.start, (key, start, end) => void members.set(key, { start, end }))
  return members
}

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b

function textAt({ bytes }: Walk, at: Span | undefined): string | undefined {
  if (!at) return undefined
  const value: unknown = bytes[at.start] === QUOTE ? JSON.parse(bytes.toString('utf8', at.start, at.end)) : undefined
  return typeof value === 'string' ? value : undefined
}

const QUOTE = 0x22

/** What a request of the merged endpoint is about. */
export interface Restored {
  readonly server: UpstreamId
  /** As the server shall see it, with its own URI; a prompt still has the name by which it was asked for. */
  readonly request: RpcRequest
  /** The prompt it refers to, by its exposed name: its own is known where the prompts are, see {@link withPrompt}. */
  readonly prompt: string | undefined
}

/**
 * Finds the server that a request names with a URI, in `params.uri` or in `params.ref`, and gives it its own.
 *
 * @returns `undefined` where the request names nothing that the gate can have named.
 */
export function restoreParams(request: RpcRequest): Restored | undefined {
  const ref = request.paramsValue?.['ref']
  if (request.method !== 'completion/complete') return restoreUri(request, request.uri, 'uri', (uri) => uri)
  if (!isRecord(ref)) return undefined
  const { type, uri, name } = ref
  if (type === 'ref/resource') return restoreUri(request, uri, 'ref', (own) => refWith(request, 'uri', own))
  const server = type === 'ref/prompt' && typeof name === 'string' ? serverOf(name) : undefined
  return server === undefined ? undefined : { server, request, prompt: String(name) }
}

/** The same request that refers to a prompt by another name. */
export function withPrompt(request: RpcRequest, name: string): RpcRequest {
  return withParams(request, { ref: refWith(request, 'name', JSON.stringify(name)) })
}

function restoreUri(
  request: RpcRequest,
  exposed: unknown,
  member: 'uri' | 'ref',
  write: (uri: string) => string,
): Restored | undefined {
  const own = typeof exposed === 'string' ? readUri(exposed) : undefined
  if (!own) return undefined
  const restored = withParams(request, { [member]: write(JSON.stringify(own.uri)) })
  return { server: own.server, request: restored, prompt: undefined }
}

/** The text of `params.ref` with another value of one member; both are there. */
function refWith({ bytes, params }: RpcRequest, member: 'uri' | 'name', by: string): string {
  const ref = params && findMember(bytes, params.start, 'ref')
  const at = ref && findMember(bytes, ref.start, member)
  if (!at) throw new TypeError(`a reference has no ${member}`)
  return splice(bytes.subarray(ref.start, ref.end), [
    { start: at.start - ref.start, end: at.end - ref.start, by },
  ]).toString()
}
