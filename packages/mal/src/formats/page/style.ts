/** How a page looks: in the light, in the dark, on a phone and on A4. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #f6f4ef; --card: #fffefb; --ink: #1d1b26; --soft: #5f5a6b; --line: #e2ddd2; --accent: #4338a8; --track: #ebe7dd;
  --going: #2f7d4f; --done: #4338a8; --hold: #a86a00; --dropped: #b3342f; --plan: #77717f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131219; --card: #1c1b25; --ink: #efecf5; --soft: #a9a3b8; --line: #2e2c3a; --accent: #b3a8ff; --track: #2a2835;
    --going: #6cc592; --done: #a79bff; --hold: #e3ae55; --dropped: #f0827b; --plan: #8f899c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Hiragino Sans", "Noto Sans", "Noto Sans CJK JP", sans-serif;
}
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 3rem; }
h1, h2, .tiles dd { font-family: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "Noto Serif", serif; }
h1 { margin: 0; font-size: clamp(1.9rem, 6vw, 3rem); line-height: 1.1; letter-spacing: -.015em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { margin: 2.75rem 0 .9rem; font-size: 1.5rem; display: flex; align-items: center; gap: .6rem; }
h2 span { font: 500 .85rem/1 ui-sans-serif, system-ui, sans-serif; color: var(--soft); }
.chart h2 { display: block; margin: 0 0 .8rem; font: 600 .8rem/1.4 ui-sans-serif, system-ui, sans-serif; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
.chart h2 span { float: right; font: inherit; letter-spacing: 0; text-transform: none; font-weight: 400; }
p { margin: .5rem 0 0; color: var(--soft); }
a { color: inherit; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); text-underline-offset: .18em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: .75rem; margin: 1.75rem 0 .75rem; }
.tiles div, .chart { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1rem 1.1rem; }
.tiles dt { font-size: .8rem; color: var(--soft); }
.tiles dd { margin: .1rem 0 0; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: lining-nums tabular-nums; }
.tiles small { font: .8rem ui-sans-serif, system-ui, sans-serif; color: var(--soft); }
.charts { display: flex; flex-wrap: wrap; gap: .75rem; }
.chart { flex: 1 1 min(100%, 18rem); min-width: 0; }
.chart.full { flex-basis: 100%; }
svg { display: block; }
.line { width: 100%; height: 16px; border-radius: 8px; background: var(--track); }
.keys { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .8rem 0 0; padding: 0; font-size: .9rem; }
.keys li { display: flex; align-items: center; gap: .45rem; }
.dot { width: 10px; height: 10px; flex: none; }
.columns { width: 100%; height: auto; max-width: 460px; margin: 0 auto; }
.columns text { font-size: 12px; text-anchor: middle; fill: var(--soft); font-variant-numeric: tabular-nums; }
.columns .count { fill: var(--ink); font-size: 11px; }
.column, .bar rect { fill: var(--accent); }
.floor { stroke: var(--line); }
.bars { width: 100%; border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
.bars th { text-align: left; font-weight: 500; padding: .16rem .7rem .16rem 0; white-space: nowrap; max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
.bars td { text-align: right; padding: .16rem 0 .16rem .7rem; }
.bars .wide { width: 100%; padding-left: 0; }
.bar { width: 100%; height: 10px; background: var(--track); border-radius: 3px; }
.soft { color: var(--soft); }
.s-watching, .s-reading { fill: var(--going); --state: var(--going); }
.s-completed { fill: var(--done); --state: var(--done); }
.s-on_hold { fill: var(--hold); --state: var(--hold); }
.s-dropped { fill: var(--dropped); --state: var(--dropped); }
.s-plan_to_watch, .s-plan_to_read, .s-unknown { fill: var(--plan); --state: var(--plan); }
.tools { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; margin: 2.25rem 0 0; padding: .9rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.tools[hidden] { display: none; }
.tools label { display: grid; gap: .2rem; font-size: .8rem; color: var(--soft); flex: 1 1 9rem; }
.tools .find { flex: 3 1 14rem; }
.tools input, .tools select { font: inherit; font-size: 1rem; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 9px; padding: 0 .65rem; height: 2.6rem; width: 100%; min-width: 0; }
.tools output { flex: 1 1 100%; font-size: .85rem; color: var(--soft); }
.entries { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: .5rem; }
.entry { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .1rem 1rem; align-items: center; padding: .65rem 1rem .7rem; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--state); border-radius: 10px; }
.covers .entry { grid-template-columns: 46px minmax(0, 1fr) auto; padding-left: .65rem; }
.cover { grid-row: 1 / span 3; width: 46px; height: 65px; object-fit: cover; border-radius: 6px; background: var(--track); }
.entry b { font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }
.entry b a { text-decoration: none; }
.entry b a:hover { text-decoration: underline; }
.about { grid-column: -3 / -2; font-size: .82rem; color: var(--soft); overflow-wrap: anywhere; }
.score { grid-row: 1 / span 2; grid-column: -2; text-align: right; font: 600 1.25rem/1.1 ui-serif, Georgia, serif; font-variant-numeric: lining-nums; }
.score small { display: block; font: 400 .72rem/1.3 ui-sans-serif, system-ui, sans-serif; color: var(--soft); }
.way { grid-column: -3 / -1; display: flex; align-items: center; gap: .6rem; font-size: .78rem; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.way svg { flex: 1; height: 4px; min-width: 3rem; background: var(--track); border-radius: 2px; }
.way rect { fill: var(--state); }
footer { padding-top: 2.5rem; padding-bottom: 3rem; font-size: .85rem; color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 30rem) {
  header { padding-top: 2rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles dd { font-size: 1.4rem; }
}
@page { size: A4; margin: 14mm 13mm; }
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --accent: #4338a8; --track: #eee; --going: #2f7d4f; --done: #4338a8; --hold: #a86a00; --dropped: #b3342f; --plan: #77717f; color-scheme: light; }
  body { font-size: 9.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  header, main, footer { max-width: none; padding: 0; }
  .tools { display: none; }
  .tiles { grid-template-columns: repeat(6, 1fr); gap: 2mm; margin: 5mm 0 2mm; }
  .tiles div, .chart { padding: 2.5mm 3mm; border-radius: 2mm; }
  .tiles dd { font-size: 14pt; }
  .charts { gap: 2mm; }
  .chart { flex-basis: 55mm; }
  .chart, .entry { break-inside: avoid; }
  h2 { margin: 6mm 0 2mm; font-size: 14pt; break-after: avoid; }
  .entries { display: block; columns: 2; column-gap: 4mm; }
  .entry, .covers .entry { grid-template-columns: minmax(0, 1fr) auto; padding: 1.2mm 2mm; margin: 0 0 1.2mm; border-width: 0 0 .2mm 1mm; border-radius: 0; }
  .entry .cover { display: none; }
  .way svg { max-width: 22mm; }
  a { text-decoration: none; }
}
`
