/** Where a property once failed: as fast-check prints it. */
export interface Found {
  readonly seed: number
  readonly path: string
}

/**
 * By the name of the property. A seed says the same only as long as the generator is not changed: whatever was found
 * has a plain test of its own as well.
 */
export const FOUND: Readonly<Record<string, readonly Found[]>> = {}
