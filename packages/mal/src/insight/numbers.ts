/** The sum of what is known of each. */
export function sumOf<Item>(items: readonly Item[], valueOf: (item: Item) => number | undefined): number {
  return items.reduce((total, item) => total + (valueOf(item) ?? 0), 0)
}

/** Everything below is `undefined` where there is nothing to compute it from. */
export function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sumOf(values, (value) => value) / values.length
}

export function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2
}

/** The standard deviation of a whole population. */
export function spreadOf(values: readonly number[]): number | undefined {
  const mean = meanOf(values)
  return mean === undefined ? undefined : Math.sqrt(sumOf(values, (value) => (value - mean) ** 2) / values.length)
}

/** Pearson's correlation, -1 to 1. Two scores, or scores that are all the same, have none. */
export function correlationOf(pairs: readonly (readonly [number, number])[]): number | undefined {
  const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
  const [meanX, meanY, spreadX, spreadY] = [meanOf(xs), meanOf(ys), spreadOf(xs), spreadOf(ys)]
  if (pairs.length < 3 || meanX === undefined || meanY === undefined || !spreadX || !spreadY) return undefined
  const covariance = sumOf(pairs, ([x, y]) => (x - meanX) * (y - meanY)) / pairs.length
  return Math.max(-1, Math.min(1, covariance / (spreadX * spreadY)))
}

/** To two places, which is as much as scores of one to ten can tell. */
export function round(value: number): number
export function round(value: number | undefined): number | undefined
export function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 100) / 100
}

/** Per hundred; nothing of nothing is `undefined`. */
export function percentOf(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : Math.round((part / whole) * 1000) / 10
}
