/** The rooms whose tests are measured, because what they guard is worth most. */
export const guarded: readonly string[] = ['vault', 'authserver', 'login', 'http']
