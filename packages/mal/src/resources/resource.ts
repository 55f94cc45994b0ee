import type { MalSession } from '../session.ts'

/** Something that can be read by its address: a row of the table in `resources/table.ts`. */
export interface Resource {
  readonly name: string
  /** An address, or a template with `{id}`. */
  readonly uri: string
  readonly title: string
  readonly description: string
  readonly mimeType: 'application/json' | 'text/markdown'
  /** @param id what stands for `{id}`; '' where there is none */
  read(mal: MalSession, id: string): Promise<string>
  /** Ids that fit what somebody has typed so far, which may be a title. */
  complete?(mal: MalSession, typed: string): Promise<readonly string[]>
}
