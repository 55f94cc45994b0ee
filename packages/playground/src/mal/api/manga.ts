import type { ApiNeeds, Endpoint } from './call.ts'
import { mangaRow } from './kinds.ts'
import { workEndpoints } from './works.ts'

/** The manga half. */
export function mangaEndpoints(needs: ApiNeeds): Endpoint[] {
  return workEndpoints(needs, mangaRow)
}
