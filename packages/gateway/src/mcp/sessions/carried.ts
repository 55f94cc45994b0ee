import { isRecord } from '../../base/json-rpc.ts'
import { withoutTasks } from '../eras/capabilities.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * What a client declared, as far as the gate can carry it between client and server: the JSON text of an object, the
 * same text for the same capabilities in whatever order they were written.
 *
 * @see MCP 2025-11-25, basic/lifecycle#capability-negotiation
 */
export function carried(capabilities: unknown): string {
  // Said with every request of the newer era, and most say nothing that is carried.
  if (!isRecord(capabilities) || !CARRIED.some((name) => name in capabilities)) return '{}'
  const { sampling, elicitation, roots, extensions } = withoutTasks(capabilities)
  return canonical({
    ...(isRecord(sampling) ? { sampling: only(sampling, ['context', 'tools']) } : {}),
    ...(isRecord(elicitation) ? { elicitation: modesOf(elicitation) } : {}),
    ...(isRecord(roots) ? { roots: only(roots, ['listChanged']) } : {}),
    ...(isRecord(extensions) && Object.keys(extensions).length > 0 ? { extensions } : {}),
  })
}

const CARRIED = ['sampling', 'elicitation', 'roots', 'extensions']

function only(capability: Members, names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(capability).filter(([name]) => names.includes(name)))
}

/** Who names no mode takes forms: there were no others at first. @see MCP 2025-11-25, client/elicitation#capabilities */
function modesOf(elicitation: Members): Members {
  const modes = Object.entries(elicitation).filter(([name, mode]) => MODES.has(name) && isRecord(mode))
  return modes.length === 0 ? { form: {} } : Object.fromEntries(modes)
}

const MODES: ReadonlySet<string> = new Set(['form', 'url'])

/** A JSON text with the members of every object in the order of their names; what lies too deep in it is null. */
export function canonical(value: unknown): string {
  return writeCanonical(value, LEVELS_MOST)
}

/** A client may send what is nested deeper than the stack is high. */
const LEVELS_MOST = 100

function writeCanonical(value: unknown, levels: number): string {
  if (levels === 0) return 'null'
  if (Array.isArray(value)) return `[${value.map((element) => writeCanonical(element, levels - 1)).join(',')}]`
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value).toSorted()
  return `{${members.map((name) => `${JSON.stringify(name)}:${writeCanonical(value[name], levels - 1)}`).join(',')}}`
}
