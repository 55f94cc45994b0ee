/** The names of the servers that are part of the gate, as `builtin` in the configuration takes them. */
export const BUILTINS: readonly string[] = ['everything', 'mal']

/** The provider whose account the users of a built-in server connect. */
export const BUILTIN_PROVIDERS: Readonly<Record<string, string>> = { mal: 'myanimelist' }

/** The groups of tools that a built-in server can be narrowed to; one without any offers all it has to everybody. */
export const BUILTIN_TOOLSETS: Readonly<Record<string, readonly string[]>> = {
  mal: ['core', 'discover', 'insight', 'bulk', 'transfer', 'community', 'account'],
}
