const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

/** How long something is, in its largest unit: `3 hours`. */
export function sayAge(ms: number): string {
  const [name, length] = units.find(([, length]) => ms >= length) ?? units[3]
  const count = Math.max(1, Math.floor(ms / length))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
