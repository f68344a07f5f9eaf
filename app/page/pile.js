// Several images: a list with what was read from each, and how far it is.

import { digitsOf, textOf } from './answer.js';
import { byId, copies, h, plural } from './dom.js';

/** The list. `open(item)` shows one. */
export class Pile {
  constructor(open) {
    this.open = open;
    this.items = [];
    this.rows = new Map();
    copies(byId('copy-all'), () => ['file\ttext\tconfidence\tunsure', ...this.items.map(line)].join('\n'));
  }

  set(items) {
    this.items = items;
    this.rows = new Map(items.map((item) => [item, this.#row(item)]));
    byId('list').replaceChildren(...this.rows.values());
    byId('pile').hidden = items.length < 2;
    items.forEach((item) => this.changed(item));
  }

  changed(item) {
    const row = this.rows.get(item);
    if (!row) return;
    const [text, failed] = told(item);
    const words = row.querySelector('b');
    words.textContent = text;
    words.classList.toggle('failed', failed);
    this.#progress();
  }

  current(item) {
    for (const [one, row] of this.rows) {
      if (one === item) row.firstChild.setAttribute('aria-current', 'true');
      else row.firstChild.removeAttribute('aria-current');
    }
  }

  #row(item) {
    const thumb = h('img', { className: 'thumb', alt: '', src: item.url, onerror: () => thumb.classList.add('blank') });
    return h('li', {}, h('button', { type: 'button', onclick: () => this.open(item) }, thumb, h('b'), h('small', { textContent: item.name })));
  }

  #progress() {
    const failed = this.items.filter((item) => item.state === 'failed').length;
    const ready = this.items.filter((item) => item.state === 'done').length + failed;
    Object.assign(byId('progress'), { max: this.items.length, value: ready });
    byId('progress-words').textContent = `${ready} of ${plural(this.items.length, 'image')} read${failed ? `, ${failed} without an answer` : ''}`;
  }
}

function told(item) {
  if (item.state === 'waiting') return ['…', false];
  if (item.state === 'reading') return [item.wait ? `${item.wait.title}, trying again` : 'reading…', false];
  if (item.state === 'failed') return [item.trouble.title, true];
  const unsure = digitsOf(item.answer).some((digit) => digit.rejected);
  return [(textOf(item.answer).replaceAll('\n', ' / ') || 'no digits') + (unsure ? ' (unsure)' : ''), false];
}

/** A row of the table to copy; texts of several lines keep to one. */
function line(item) {
  if (item.state !== 'done') return [item.name, '', '', item.trouble?.title ?? 'not read yet'].join('\t');
  return [item.name, textOf(item.answer).replaceAll('\n', ' '), item.answer.confidence, item.answer.rejected].join('\t');
}
