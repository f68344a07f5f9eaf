// What went wrong, in words, and what can be done about it from here.

import { h } from './dom.js';

const HELP = {
  'missing-file': 'The file is empty. Give another one, such as a PNG or a JPEG.',
  'unsupported-image': 'Save it as PNG or JPEG, in an image program or as a screenshot, and give that.',
  'corrupt-image': 'Give the original file, or open the image somewhere and save it anew.',
  'not-ready': 'It is tried again by itself.',
  overloaded: 'It is tried again by itself.',
};

/** Shows `trouble` in `place`, or nothing; `deeds` are the ways out, by their labels. */
export function showTrouble(place, trouble, deeds = {}) {
  place.hidden = !trouble;
  place.replaceChildren();
  if (!trouble) return;
  place.classList.toggle('mild', Boolean(trouble.mild));
  place.append(h('h3', { textContent: trouble.title }), h('p', { textContent: trouble.detail }));
  if (trouble.errors?.length > 1) place.append(h('ul', {}, trouble.errors.map((one) => h('li', { textContent: `${one.parameter}: ${one.detail}` }))));
  if (HELP[trouble.slug]) place.append(h('p', { textContent: HELP[trouble.slug] }));
  if (trouble.requestId) place.append(h('p', { className: 'hint', textContent: `Request ${trouble.requestId}` }));
  const buttons = Object.entries(deeds).map(([label, deed]) => h('button', { type: 'button', textContent: label, onclick: deed }));
  if (buttons.length) place.append(h('p', { className: 'row' }, buttons));
}

/** A trouble of the page's own. `mild`: nothing is broken, something has to be waited for or chosen. */
export const own = (title, detail, mild = true) => ({ title, detail, mild });
