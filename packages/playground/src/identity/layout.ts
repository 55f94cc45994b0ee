import { pageHead } from '../page.ts'

/** A whole page, with the notice that nobody here is real. What is put in is markup. */
export function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en"><head>${pageHead}<title>${title} · Identity provider, emulated</title></head>
<body><header><p><strong>This is an emulation for trying things.</strong> Everybody here is invented, and has no
password.</p></header><main><h1>${title}</h1>${main}</main></body></html>`
}
