/** The one stylesheet: system fonts, light and dark, from 320 px on. Every pair of colours has at least WCAG AA contrast. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f4ee; --paper: #fffdf8; --ink: #22261f; --soft: #575d52; --line: #d9d4c5; --edge: #86806f;
  --brand: #1f5c50; --brand-strong: #17483f; --on-brand: #ffffff; --focus: #b06a00;
  --good: #1d5c33; --good-back: #e4f1e4; --warn: #704800; --warn-back: #fbeecd;
  --bad: #99231b; --bad-back: #fbe6e2; --info: #234b73; --info-back: #e6eef7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #171a17; --paper: #20241f; --ink: #eceae1; --soft: #b3b6a9; --line: #3a4038; --edge: #828a7d;
    --brand: #7fcdb9; --brand-strong: #a3dfcf; --on-brand: #0d241f; --focus: #f0b650;
    --good: #9ad8aa; --good-back: #1e3325; --warn: #f0c878; --warn-back: #3a2f17;
    --bad: #ffb0a6; --bad-back: #44211d; --info: #a9cbef; --info-back: #1d2c3c;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--page); color: var(--ink); }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 1rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p, ul, ol, dl { margin: 0 0 1rem; }
ul, ol { padding-left: 1.25rem; }
a { color: var(--brand); text-underline-offset: .15em; }
a:hover { color: var(--brand-strong); }
nav a[aria-current] { font-weight: 650; text-decoration: underline; text-underline-offset: .35em; }
h1, h2, h3, p, li, dd, .who, td code { overflow-wrap: anywhere; }
td, th { overflow-wrap: break-word; }
code, .code { font-family: ui-monospace, 'Cascadia Mono', Menlo, Consolas, monospace; font-size: .93em; }
pre, .code { display: block; background: var(--page); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .75rem; margin: 0 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: .2rem; }
main:focus { outline: none; }
.skip { position: absolute; left: .5rem; top: -4rem; background: var(--paper); padding: .5rem .75rem; z-index: 1; }
.skip:focus { top: .5rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; padding: .65rem 1.25rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .55rem; font-weight: 650; color: var(--ink); text-decoration: none; }
.brand img { display: block; }
.bar nav { flex: 1 1 auto; }
.bar ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: 0; padding: 0; }
.bar nav a { display: inline-block; padding: .3rem 0; text-decoration: none; }
.bar nav a:hover { text-decoration: underline; }
.viewer { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .9rem; margin: 0 0 0 auto; }
.who { color: var(--soft); }
main { flex: 1 0 auto; width: 100%; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
main.wide { max-width: 62rem; }
main.narrow { max-width: 31rem; }
footer { padding: 1rem 1.25rem 1.5rem; text-align: center; color: var(--soft); font-size: .875rem; }
.lead { font-size: 1.1rem; }
.hint, .none, .never, caption { color: var(--soft); }
.hint { font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin: 0 0 1.25rem; }
.card > :last-child, .notice > :last-child { margin-bottom: 0; }
.field { margin: 0 0 1.1rem; }
.field label { display: block; font-weight: 600; margin-bottom: .25rem; }
.field .hint, .field .wrong { margin: 0 0 .35rem; }
.wrong { color: var(--bad); font-weight: 600; }
input[type='text'], input[type='password'], select, textarea { width: 100%; min-height: 2.75rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: .45rem; padding: .5rem .7rem; }
input[aria-invalid] { border-color: var(--bad); border-width: 2px; }
button, .button { display: inline-block; min-height: 2.75rem; font: inherit; font-weight: 600; line-height: 1.3; text-align: center; text-decoration: none; cursor: pointer; border-radius: .45rem; border: 1px solid transparent; padding: .6rem 1.1rem; }
button.primary, .button.primary { background: var(--brand); color: var(--on-brand); }
button.primary:hover, .button.primary:hover { background: var(--brand-strong); color: var(--on-brand); }
button.plain, .button.plain { background: var(--paper); color: var(--brand); border-color: var(--brand); }
button.plain:hover, .button.plain:hover { background: var(--page); color: var(--brand-strong); }
button.danger { background: var(--paper); color: var(--bad); border-color: var(--bad); }
button.danger:hover { background: var(--bad-back); }
button.quiet { min-height: 1.5rem; padding: .3rem 0; background: none; border: 0; color: var(--brand); font-weight: 400; text-decoration: underline; text-underline-offset: .15em; }
button.quiet:hover { color: var(--brand-strong); }
.stack { display: grid; gap: .75rem; }
.wide-button { margin: 0; }
.wide-button button { width: 100%; }
.after { margin-top: 1rem; }
.choices { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin: 1.25rem 0 0; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; margin: 0; }
.actions form { margin: 0; }
.notice { border-left: .3rem solid; border-radius: .4rem; padding: .75rem 1rem; margin: 0 0 1.25rem; }
.notice ul { margin: 0; padding: 0; list-style: none; }
.notice a { color: inherit; }
.notice.info { color: var(--info); background: var(--info-back); }
.notice.good { color: var(--good); background: var(--good-back); }
.notice.warning { color: var(--warn); background: var(--warn-back); }
.notice.error { color: var(--bad); background: var(--bad-back); }
.badge { display: inline-block; border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem; font-weight: 600; border: 1px solid; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.warning { color: var(--warn); background: var(--warn-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.plain { color: var(--soft); background: var(--page); }
.facts { margin: 0 0 1rem; }
.facts > div { display: grid; grid-template-columns: 9.5rem 1fr; gap: 0 1rem; padding: .15rem 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.waiting { list-style: none; padding: 0; margin: 0; }
.waiting li { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; padding: .5rem 0; }
fieldset { border: 0; padding: 0; margin: 0 0 1.1rem; min-width: 0; }
legend { font-weight: 600; padding: 0; margin-bottom: .25rem; }
.choice { display: flex; gap: .6rem; align-items: center; min-height: 2rem; }
.choice input { width: 1.15rem; height: 1.15rem; margin: 0; flex: none; accent-color: var(--brand); }
.unseen, input.unseen { position: absolute; width: 1px; height: 1px; min-height: 0; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.card form:last-child { margin-bottom: 0; }
.wrong:empty { display: none; }
.steps > li { margin-bottom: .75rem; }
.qr svg { display: block; width: 13rem; max-width: 100%; height: auto; border-radius: .4rem; margin: 0 0 .75rem; }
.codes { columns: 2; column-gap: 1.5rem; list-style: none; padding: 0; }
.codes li { padding: .15rem 0; break-inside: avoid; }
.host { margin-bottom: .1rem; font-size: 1.15rem; font-weight: 650; overflow-wrap: anywhere; }
.asks { font-size: 1.1rem; }
table { width: 100%; border-collapse: collapse; margin: 0 0 1rem; background: var(--paper); }
caption { text-align: left; padding: 0 0 .5rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .6rem .6rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
tbody th { font-weight: 600; }
thead th { font-size: .875rem; color: var(--soft); font-weight: 600; }
td form { margin: 0; }
td button, td .whole { white-space: nowrap; }
time { white-space: nowrap; }
td time { white-space: normal; }
.card h3 { margin-bottom: .5rem; }
@media (max-width: 40rem) {
  .bar nav { order: 3; flex-basis: 100%; }
  main { padding-top: 1.25rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, caption, tbody, tr, tbody th, td { display: block; width: 100%; }
  tbody th, td { overflow-wrap: anywhere; }
  td:empty { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  tbody th, td { border: 0; padding: .15rem 0; }
  .facts > div { grid-template-columns: 1fr; padding: .25rem 0; }
  td[data-label]:not(:has(> form))::before { content: attr(data-label) ': '; color: var(--soft); }
}
@media (max-width: 26rem) { .codes { columns: 1; } }
@media (max-width: 22rem) { .choices { grid-template-columns: 1fr; } }
@media (prefers-reduced-motion: no-preference) { button, .button { transition: background-color .12s; } }
@media (forced-colors: active) { .badge, .notice { border: 1px solid; } }
`
