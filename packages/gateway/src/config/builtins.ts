/** The names of the servers that are part of the gate, as `builtin` in the configuration takes them. */
export const BUILTINS: readonly string[] = ['everything']
