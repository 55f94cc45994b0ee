import { problem } from '../base/problem.ts'
import type { Asker, Registry, Standing, Tool } from '../registry/registry.ts'
import { statusTool } from './status.ts'

/** A page of descriptions, ready to stand inside a JSON array. */
export interface ToolsPage {
  readonly tools: Buffer
  readonly nextCursor: string | undefined
  /** How long a client may keep it, in milliseconds. */
  readonly ttlMs: number
}

const TTL_MS = 30_000

const COMMA = Buffer.from(',')

/**
 * Answers `tools/list` from what the registry knows, in the order of the configuration. The merged
 * endpoint begins with the tool that says what is missing.
 *
 * @throws {Problem} `request.params` where the cursor is none of ours; on `/mcp/<server>`, where its one
 * upstream has never been listed, the reason why.
 */
export async function listTools(
  needs: { readonly registry: Pick<Registry, 'list'>; readonly settings: { readonly toolsPerPage: number } },
  asker: Asker,
  cursor: string | undefined,
): Promise<ToolsPage> {
  const standings = await needs.registry.list(asker)
  const { toolsPerPage } = needs.settings
  const merged = asker.server === undefined
  if (!merged) mustBeKnown(standings)
  const tools = standings.flatMap((standing) => standing.tools)
  const from = cursor === undefined ? 0 : positionAfter(tools, cursor)
  const page = tools.slice(from, from + toolsPerPage)
  const last = page.at(-1)
  const texts = page.map((tool) => (merged ? tool.exposedJson : tool.json))
  if (merged && from === 0) texts.unshift(statusTool.json)
  return {
    tools: join(texts),
    nextCursor: last && from + toolsPerPage < tools.length ? encodeCursor(last) : undefined,
    // What is missing may be there a moment later: a token is set, a server is back.
    ttlMs: standings.some(({ failure }) => failure) ? 0 : TTL_MS,
  }
}

function mustBeKnown([standing]: readonly Standing[]): void {
  if (standing?.failure && standing.tools.length === 0) throw standing.failure
}

function join(texts: readonly Buffer[]): Buffer {
  return Buffer.concat(texts.flatMap((text, index) => (index === 0 ? [text] : [COMMA, text])))
}

/** A cursor names the last tool that was seen, so that it means the same on any replica. */
function encodeCursor({ upstream, name }: Tool): string {
  return Buffer.from(`${upstream} ${name}`).toString('base64url')
}

function positionAfter(tools: readonly Tool[], cursor: string): number {
  const [upstream, ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const name = rest.join(' ')
  const at = tools.findIndex((tool) => tool.upstream === upstream && tool.name === name)
  if (at < 0) throw problem('request.params', { reason: 'the cursor is not known any more; list from the start' })
  return at + 1
}
