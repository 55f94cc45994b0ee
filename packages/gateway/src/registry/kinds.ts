/** What an upstream can have lists of. One more is a row. */
export interface Kind {
  /** Asks for the list. */
  readonly method: string
  /** The member of the result that is the list. */
  readonly member: string
  /** The member of each item that no other item has the same of. */
  readonly key: 'name' | 'uri' | 'uriTemplate'
  /** What an upstream says it can, where it has such a list. */
  readonly capability: string
}

export const kinds = {
  tools: { method: 'tools/list', member: 'tools', key: 'name', capability: 'tools' },
  prompts: { method: 'prompts/list', member: 'prompts', key: 'name', capability: 'prompts' },
  resources: { method: 'resources/list', member: 'resources', key: 'uri', capability: 'resources' },
  templates: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
  },
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds

/** The lists that are not what they were, where an upstream gives such a notification; none for any other. */
export function kindsChangedBy(method: string): readonly KindName[] {
  return CHANGES.get(method) ?? []
}

const CHANGES: ReadonlyMap<string, readonly KindName[]> = new Map([
  ['notifications/tools/list_changed', ['tools']],
  ['notifications/prompts/list_changed', ['prompts']],
  ['notifications/resources/list_changed', ['resources', 'templates']],
])
