/**
 * Whether an address lies within an API. A next page is an address that somebody else wrote, and the access token is
 * sent to it: same origin, a path below the API's, no credentials in it.
 *
 * @returns the address, `undefined` where it does not
 */
export function findWithin(address: string, base: URL): URL | undefined {
  const url = URL.parse(address)
  const within = url?.origin === base.origin && url.pathname.startsWith(`${base.pathname.replace(/\/$/, '')}/`)
  return url !== null && within && url.username === '' && url.password === '' ? url : undefined
}

export interface PassNeeds<Page> {
  first(): Promise<Page>
  /** Asks for the page after this one; `undefined` where it is the last. */
  next(page: Page): (() => Promise<Page>) | undefined
  /** Takes in what a page brings, and answers how many there are by then. */
  take(page: Page): number
  /** No more are read than this. */
  readonly most: number
  /** Told after each page but the last. */
  onProgress(count: number): Promise<void>
}

/**
 * Reads pages to the end or to the cap.
 * @returns whether there is more: the cap was reached, or a page that brought nothing new would lead round in circles
 */
export async function readPages<Page>({ first, next, take, most, onProgress }: PassNeeds<Page>): Promise<boolean> {
  let before = 0
  for (let page = await first(); ;) {
    const count = take(page)
    const ask = next(page)
    if (count > most) return true
    if (ask === undefined) return false
    if (count === most || count === before) return true
    before = count
    await onProgress(count)
    page = await ask()
  }
}
