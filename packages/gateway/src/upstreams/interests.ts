/** What somebody wants to hear of an upstream outside of any request. */
export interface Interests {
  readonly lists: ReadonlySet<ListName>
  /** Resources, by the upstream's own URIs. */
  readonly uris: ReadonlySet<string>
}
export type ListName = 'tools' | 'prompts' | 'resources'
