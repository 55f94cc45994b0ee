import { LRUCache } from 'lru-cache'

/** What was used lately, by its key. */
export type Recent<Key extends object | string, Value extends object | string | number> = LRUCache<Key, Value>

/**
 * Keeps as many as that, and lets go of the one that was used longest ago; `onEvict` is told of it.
 *
 * They are counted by a size of one each: told how many there may be at most, `lru-cache` makes the places of all of them
 * at once, 22 bytes each. That was 5 MB after the start, and 0.4 MB more with each server over HTTP.
 */
export function createRecent<Key extends object | string, Value extends object | string | number>(
  most: number,
  onEvict?: (value: Value) => void,
): Recent<Key, Value> {
  return new LRUCache({
    maxSize: most,
    sizeCalculation: () => 1,
    ...(onEvict && { dispose: (value, _key, reason) => reason === 'evict' && onEvict(value) }),
  })
}
