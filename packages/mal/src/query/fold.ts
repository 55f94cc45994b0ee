/** Text as it is compared: case, width and the accents of Latin letters count for nothing. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .normalize('NFC')
    .toLowerCase()
}

/** A name as it is compared: `Slice of Life`, `slice-of-life` and `slice_of_life` are the same. */
export function foldName(text: string): string {
  return foldText(text)
    .replaceAll(/[\s_-]+/g, ' ')
    .trim()
}
