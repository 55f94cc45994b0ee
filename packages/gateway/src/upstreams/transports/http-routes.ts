import type { Pool } from 'undici'
import type { TenantId, UserId } from '../../base/ids.ts'
import { isPersonal, render, renderAll, type Template } from '../../base/template.ts'
import type { Caller } from '../transport.ts'
import { fillOnce } from './filled.ts'
import type { Route } from './http-link.ts'

export interface RoutesNeeds {
  readonly url: Template
  readonly headers: Readonly<Record<string, Template>>
  /** The pool of connections to an origin, shared by all upstreams there. */
  poolFor(origin: string): Pool
  /** The same without a limit to their number: for streams that stay open, most of them idle. */
  streamPoolFor(origin: string): Pool
}

export interface Routes {
  for(caller: Caller): Route
  /** The one for everybody, where nobody's own credential or id is in it. */
  shared(): Route | undefined
}

/** Fills in URL and headers of an upstream. */
export function createRoutes({ url, headers, poolFor, streamPoolFor }: RoutesNeeds): Routes {
  const templates = [url, ...Object.values(headers)]
  const fill = fillOnce(templates, (caller): Route => {
    const { origin, path } = placeOf(url, caller)
    return { pool: poolFor(origin), streams: streamPoolFor(origin), origin, path, headers: headersOf(headers, caller) }
  })
  return { for: fill, shared: () => (templates.some(isPersonal) ? undefined : fill(NOBODY)) }
}

/** For templates that ask for nobody. */
const NOBODY: Caller = { tenant: '' as TenantId, userId: '' as UserId, token: undefined }

type Filler = Pick<Caller, 'userId' | 'token'>

/** A token is one segment of a path, or one value of a query, whatever it contains. */
function placeOf(url: Template, { userId, token }: Filler): { origin: string; path: string } {
  const text = token?.reveal()
  const filled = render(url, { userId, token: text === undefined ? undefined : encodeURIComponent(text) })
  const { origin, pathname, search } = new URL(filled)
  return { origin, path: pathname + search }
}

function headersOf(headers: RoutesNeeds['headers'], { userId, token }: Filler): readonly string[] {
  return Object.entries(renderAll(headers, { userId, token: token?.reveal() })).flat()
}
