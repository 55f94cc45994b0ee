import type { html } from 'hono/html'

/** What a template makes. Whatever is put into one is escaped, unless it came out of one. */
export type Html = ReturnType<typeof html>
