/**
 * Keeps one of whatever is alike: 25,000 entries name the same few types, genres, studios and dates, and a text or a
 * list of its own for each would take as much memory as everything else that is known of them.
 */
export function createSharing() {
  const texts = new Map<string, string>()
  const objects = new Map<string, unknown>()

  function text<Text extends string | undefined>(value: Text): Text {
    if (value === undefined) return value
    const known = texts.get(value)
    if (known !== undefined) return known as Text
    texts.set(value, value)
    return value
  }

  /** Anything that is plain JSON and is never changed. */
  function share<Value extends object | undefined>(value: Value): Value {
    if (value === undefined) return value
    const key = JSON.stringify(value)
    const known = objects.get(key)
    if (known !== undefined) return known as Value
    objects.set(key, value)
    return value
  }

  return { text, texts: (values: readonly string[]) => share(values.map(text)), share }
}
