import { isFields } from '../config/values.ts'

/** Follows a way like `user.name` into somebody's JSON; `undefined` where it leads nowhere. */
export function valueAt(value: unknown, way: string): unknown {
  let found = value
  for (const step of way.split('.')) found = isFields(found) && Object.hasOwn(found, step) ? found[step] : undefined
  return found
}
