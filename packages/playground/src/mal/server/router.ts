import type { Route } from './exchange.ts'

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** Finds the route of a path. `wrong method` means that the path is known, but not for this method. */
export function createRouter(routes: readonly Route[]) {
  const table = routes.map((route) => ({ route, segments: route.path.split('/') }))

  return function match(method: string, path: string): Match | 'wrong method' | undefined {
    const parts = path.split('/')
    let known = false
    for (const { route, segments } of table) {
      const params = fit(segments, parts)
      if (!params) continue
      if (route.method === method) return { route, params }
      known = true
    }
    return known ? 'wrong method' : undefined
  }
}

function fit(segments: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? ''
    if (!segment.startsWith(':')) {
      if (segment !== part) return undefined
      continue
    }
    const value = decode(part)
    if (!value) return undefined
    params[segment.slice(1)] = value
  }
  return params
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
