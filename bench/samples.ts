/** What `node --cpu-prof` writes. @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** The id of the node that ran at each sample. */
  readonly samples: readonly number[]
}

export interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** From 0. */
  readonly lineNumber: number
}

/** The part of a profile at whose end the load ran: its start, where the gate starts too, says nothing of a call. */
const LATER = 0.4

/** The frames that ran while the process had something to do, under load. */
export function busySamples({ nodes, samples }: CpuProfile): CallFrame[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  return samples
    .slice(Math.floor(samples.length * LATER))
    .flatMap((id) => frames.get(id) ?? [])
    .filter(({ functionName }) => functionName !== '(idle)')
}

/** How many samples fell to each room and to each function, the most first. */
export function chargeSamples(frames: readonly CallFrame[]) {
  return { rooms: count(frames, roomOf), functions: count(frames, placeOf) }
}

function count(frames: readonly CallFrame[], nameOf: (frame: CallFrame) => string): [string, number][] {
  const counts = new Map<string, number>()
  for (const frame of frames) counts.set(nameOf(frame), (counts.get(nameOf(frame)) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

/** Whose code it is: a room of ours, a package, a part of Node, or the engine. */
function roomOf({ functionName, url }: CallFrame): string {
  if (functionName === '(garbage collector)') return 'garbage collector'
  if (url === '') return 'engine and system calls'
  const [, room] = /\/gateway\/src\/([\w-]+)/.exec(url) ?? []
  if (room !== undefined) return `our ${room}`
  const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
  if (name !== undefined) return name
  const [, part] = /^node:(?:internal\/)?([^/]+)/.exec(url) ?? []
  return part === undefined ? 'the proxy' : `node ${part}`
}

function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const where = url === '' ? '' : `  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`
  return `${functionName || '(anonymous)'}${where}`
}
