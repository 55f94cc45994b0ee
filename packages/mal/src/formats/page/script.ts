/**
 * What makes a page searchable. Without it the page shows everything, in its first order.
 * It runs in the browser of whoever opens the file and asks nothing of anybody.
 */
export const script = `
'use strict';
const tools = document.querySelector('.tools');
const entries = [...document.querySelectorAll('.entry')];
const sections = [...document.querySelectorAll('section[data-status]')];
const orders = {
  score: (a, b) => b.dataset.score - a.dataset.score,
  mean: (a, b) => b.dataset.mean - a.dataset.mean,
  title: (a, b) => a.dataset.title.localeCompare(b.dataset.title),
  year: (a, b) => b.dataset.year - a.dataset.year,
  updated: (a, b) => b.dataset.updated.localeCompare(a.dataset.updated),
};
const plain = (text) => text.normalize('NFKD').toLowerCase();
const texts = new Map(entries.map((entry) => [entry, plain(entry.dataset.title + ' ' + entry.textContent)]));
function show() {
  const words = plain(tools.elements.find.value).split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const section of sections) {
    const wanted = ['', section.dataset.status].includes(tools.elements.status.value);
    let some = 0;
    for (const entry of section.querySelectorAll('.entry')) {
      const fits = wanted && words.every((word) => texts.get(entry).includes(word));
      entry.hidden = !fits;
      some += fits;
    }
    section.hidden = some === 0;
    shown += some;
  }
  tools.elements.shown.value = (shown === entries.length ? shown : shown + ' of ' + entries.length) + (entries.length === 1 ? ' entry' : ' entries');
}
function sort() {
  const order = orders[tools.elements.sort.value];
  for (const list of document.querySelectorAll('.entries')) list.append(...[...list.children].sort(order));
}
tools.addEventListener('submit', (event) => event.preventDefault());
tools.elements.find.addEventListener('input', show);
tools.elements.status.addEventListener('change', show);
tools.elements.sort.addEventListener('change', sort);
tools.hidden = false;
show();
`
