/** The names of the servers that are part of the gate, as `builtin` in the configuration takes them. */
export const BUILTINS: readonly string[] = ['everything', 'mal']

/** The provider whose account the users of a built-in server connect. */
export const BUILTIN_PROVIDERS: Readonly<Record<string, string>> = { mal: 'myanimelist' }
