/** What bounds the children of a gate. All times in milliseconds. */
export interface ChildrenSettings extends SeatSettings {
  /** Between two looks at the memory of every process tree. */
  readonly sampleMs: number
}

/** What bounds children, whatever they are. */
export interface SeatSettings extends ChildLimits {
  /** Children alive at once, in the whole gate. */
  readonly maxChildren: number
  /** Children alive at once that belong to one user; shared ones belong to nobody. */
  readonly maxChildrenPerUser: number
  /** How long calls in flight may take to end once their child shall end. */
  readonly drainMs: number
}

/** What bounds one child; an upstream may have its own. */
export interface ChildLimits {
  /** From the start of the process to the end of the handshake. */
  readonly startTimeoutMs: number
  /** Without a call, until it is ended. */
  readonly idleMs: number
  /** Resident memory of the child and all its descendants, in MB of 2^20 bytes. */
  readonly memoryMb: number
  /** What is kept of its stderr. */
  readonly logBytes: number
  /** The longest line it may write. */
  readonly lineBytes: number
  /** Between closing its stdin, SIGTERM and SIGKILL. */
  readonly graceMs: number
}

/** What the configuration says nothing about. */
export const childrenDefaults = { sampleMs: 5_000, graceMs: 1_500 } as const satisfies Partial<ChildrenSettings>
