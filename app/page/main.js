// The page: ways to give an image → queue → answer.

import { Answer, digitsOf, showItemTrouble, textOf } from './answer.js';
import { keepKey, key, withQuery } from './api.js';
import { camera } from './camera.js';
import { choosing, shrunk } from './choose.js';
import { byId, percent, plural, say } from './dom.js';
import { drawing } from './draw.js';
import { Pile } from './pile.js';
import { Item, Queue } from './queue.js';
import { watch } from './service.js';
import { tabs } from './tabs.js';
import { showTrouble } from './trouble.js';

const options = byId('options');
let shown = null; // the item that is looked at
let sketch = null; // the drawing, one item for as long as it grows

function parameters(names) {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = options.elements[name].value.trim();
    if (value && value !== 'auto') query.set(name, value);
  }
  return query;
}
const shared = () => parameters(['polarity', 'min_confidence']);

function path() {
  const mode = options.elements.mode.value;
  const query = mode === 'read' ? parameters(['polarity', 'min_confidence', 'expected_length']) : shared();
  return withQuery(`/${mode}`, query);
}

const answer = new Answer(shared);
const queue = new Queue(path, changed);
const pile = new Pile(open);

function give(files, origin) {
  const items = files.map((file) => new Item(file, file.name || 'image', origin));
  sketch = null;
  pile.items.forEach((item) => { item.abort?.abort(); URL.revokeObjectURL(item.url); });
  queue.waiting = [];
  pile.set(items);
  showTrouble(byId('trouble'), null);
  open(items[0]);
  if (items.length === 1) say(`Reading ${items[0].name}`);
  if (origin !== 'drawing') comeIntoView();
  queue.add(...items);
}

/** On a narrow screen the answer stands below: it comes into view, but never while one draws. */
function comeIntoView() {
  const place = document.querySelector('.answer');
  if (place.getBoundingClientRect().top < innerHeight / 2) return;
  place.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}

function open(item) {
  shown = item;
  pile.current(item);
  changed(item);
}

function changed(item) {
  pile.changed(item);
  if (item !== shown) return;
  if (item.state === 'done') {
    showItemTrouble(item);
    answer.show(item);
    byId('live').textContent = item === sketch ? textOf(item.answer) || 'no digits' : '';
    say(spoken(item));
  } else if (item.state === 'failed') {
    answer.clear();
    byId('empty').hidden = true;
    failed(item);
  } else if (item.wait) {
    showTrouble(byId('trouble'), { ...item.wait, title: `${item.wait.title}, trying again`, requestId: '', slug: '', mild: true });
  } else if (answer.item) {
    answer.busy();
  }
}

function failed(item) {
  const { slug } = item.trouble;
  const again = () => queue.add(item);
  const deeds = { 'Try again': again };
  if (['body-too-large', 'image-too-large', 'cut-off'].includes(slug)) deeds['Shrink it and try again'] = () => shrink(item);
  if (slug === 'unauthorized') {
    deeds['Enter an API key'] = () => {
      byId('more').open = true;
      options.elements.key.focus();
    };
  }
  if (['missing-file', 'unsupported-image', 'corrupt-image'].includes(slug)) delete deeds['Try again'];
  showItemTrouble(item, deeds);
}

async function shrink(item) {
  const smaller = await shrunk(item.file);
  if (smaller) {
    item.replace(smaller, item.name.replace(/(\.\w+)?$/, '-smaller.jpg'));
    queue.add(item);
    return;
  }
  item.trouble = { title: 'It cannot be shrunk here', detail: 'This browser cannot open the image. Make it smaller in an image program, and save it as PNG or JPEG.' };
  showItemTrouble(item);
}

function spoken(item) {
  const digits = digitsOf(item.answer);
  const unsure = digits.map((digit, index) => (digit.rejected ? `number ${index + 1}, ${digit.digit}, ${percent(digit.confidence)}` : '')).filter(Boolean);
  if (!digits.length) return `${item.name}: no digits`;
  return `${item.name}: ${textOf(item.answer)}. ${plural(digits.length, 'digit')}, ${unsure.length ? `unsure: ${unsure.join('; ')}` : 'all sure'}.`;
}

function drawn(png) {
  if (!png) {
    if (sketch && shown === sketch) {
      sketch.abort?.abort();
      [sketch, shown] = [null, null];
      byId('live').textContent = '';
      showTrouble(byId('trouble'), null);
      answer.clear();
    }
    return;
  }
  const file = new File([png], 'drawing.png', { type: 'image/png' });
  if (!sketch) {
    give([file], 'drawing');
    [sketch] = pile.items;
  } else {
    sketch.replace(file);
    queue.add(sketch);
  }
}

function refuse(trouble) {
  showTrouble(byId('trouble'), trouble);
}

choosing(give, refuse);
drawing(drawn);
const dark = camera((jpeg) => give([new File([jpeg], 'photo.jpg', { type: 'image/jpeg' })], 'photo'), refuse);
tabs(document.querySelector('[role=tablist]'), (panel) => { if (panel === 'panel-camera') dark(); });

options.elements.key.value = key();
options.addEventListener('submit', (event) => event.preventDefault());
options.addEventListener('change', () => {
  keepKey(options.elements.key.value.trim());
  options.elements.expected_length.disabled = options.elements.mode.value === 'predict';
  queue.add(...pile.items);
});
watch(() => { queue.add(...pile.items.filter((item) => ['unreachable', 'not-ready', 'shutting-down'].includes(item.trouble?.slug))); });
