import { isRecord } from '../base/json-rpc.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a client must have declared to be asked this. What is not listed is asked of nobody. */
const rules: Readonly<Record<string, (declared: Fields, params: Fields) => boolean>> = {
  'roots/list': ({ roots }) => isRecord(roots),
  'sampling/createMessage': ({ sampling }, { tools }) =>
    isRecord(sampling) && (tools === undefined || isRecord(sampling['tools'])),
  'elicitation/create': ({ elicitation }, { mode }) =>
    isRecord(elicitation) && (mode === 'url' ? isRecord(elicitation['url']) : takesForms(elicitation)),
}

/** @see MCP 2025-11-25, client/elicitation#capabilities: without any mode it means forms, which came first */
function takesForms({ form, url }: Fields): boolean {
  return isRecord(form) || url === undefined
}

/** Whether a client that declared this, as JSON text, may be asked that: only for what it has declared. */
export function mayBeAsked(
  capabilities: string,
  { method, params }: { readonly method: string; readonly params: Fields },
) {
  const rule = Object.hasOwn(rules, method) ? rules[method] : undefined
  if (rule === undefined || capabilities === '' || capabilities === '{}') return false
  const declared: unknown = JSON.parse(capabilities)
  return isRecord(declared) && rule(declared, params)
}
