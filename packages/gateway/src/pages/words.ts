import { accountWords } from './words/account.ts'
import { commonWords } from './words/common.ts'
import { deviceWords } from './words/device.ts'
import { signInWords } from './words/sign-in.ts'

/** Every word a page shows. Another language is another entry with the same keys. */
export const words = { en: { ...commonWords, ...signInWords, ...deviceWords, ...accountWords } }

export type WordKey = keyof (typeof words)['en']

/** The one language there is; it is named in every page. */
export const LANGUAGE = 'en'

/** Answers with words by their key, with `{names in braces}` filled in. It is text: a template still escapes it. */
export function say(key: WordKey, values: Readonly<Record<string, string | number>> = {}): string {
  return words[LANGUAGE][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
