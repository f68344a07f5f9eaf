// The page about the model: figures from GET /model, plots from its reports, limits from its card.

import { key, keepKey, request } from './api.js';
import { byId, h, listing } from './dom.js';
import { watch } from './service.js';
import { showTrouble } from './trouble.js';

const whole = new Intl.NumberFormat('en');
const share = (value) => (value === undefined ? '–' : `${(100 * value).toFixed(2)} %`);
const ratio = (value) => (value === undefined ? '–' : value.toFixed(4));

function table(place, heads, rows) {
  const cell = (value) => (typeof value === 'string' ? h('td', { textContent: value }) : value);
  byId(place).replaceChildren(
    h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col', className: head === 'Licence' ? 'words' : '', textContent: head })))),
    h('tbody', {}, rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row', textContent: first }), rest.map(cell)))));
}

function facts(model) {
  const test = model.metrics['MNIST test'] ?? {};
  const all = {
    Version: `${model.name} ${model.version}`,
    Made: model.created.slice(0, 10),
    Parameters: whole.format(model.parameters + (model.reader?.parameters ?? 0) + (model.second_reader?.parameters ?? 0)),
    'MNIST test, right': share(test.accuracy),
    'Unsure under': ratio(model.threshold),
    'Its errors when sure': share(model.metrics.threshold?.digits_risk),
  };
  byId('facts').replaceChildren(...Object.entries(all).map(([name, value]) => h('div', {}, h('dt', { textContent: name }), h('dd', { textContent: value }))));
}

function figures(model) {
  const sets = Object.entries(model.metrics).filter(([, one]) => one.accuracy !== undefined);
  table('sets', ['Set', 'Images', 'Right', 'Macro F1', 'ECE', 'AUROC'],
    sets.map(([name, one]) => [name, whole.format(one.n), share(one.accuracy), ratio(one.macro_f1), share(one.ece), ratio(one.auroc)]));
  table('lines', ['Set', 'Images', 'Exact', 'Characters wrong'],
    Object.entries(model.reader?.metrics ?? {}).filter(([, one]) => one.exact !== undefined)
      .map(([name, one]) => [name, whole.format(one.count), share(one.exact), share(one.character_errors)]));
  const words = (text) => h('td', { className: 'words', textContent: text });
  const count = (value) => (value === undefined ? '–' : whole.format(value));
  table('sources', ['Source', 'Licence', 'Trained on', 'Held out'],
    model.training_data.map((one) => [one.name, words(one.licence ?? '–'), count(one.train), count(one.held_out)]));
}

/** Shows a report in `image`; with a key by way of fetch, since an <img> sends none. */
async function showReport(image, name) {
  const path = `/model/reports/${encodeURIComponent(name)}`;
  image.src = key() ? URL.createObjectURL(await (await request(path)).blob()) : path;
}

async function plots() {
  const { reports } = await (await request('/model/reports')).json();
  const sets = reports.filter((name) => name.startsWith('set-'));
  const title = (name) => name.slice(4, -4).replaceAll('-', ' ');
  byId('set').replaceChildren(...sets.map((name) => h('option', { value: name, textContent: title(name), selected: name === 'set-validation.png' })));
  const show = () => {
    byId('plot').alt = `Confusion matrix, ROC, reliability and risk at coverage, on ${title(byId('set').value)}`;
    return showReport(byId('plot'), byId('set').value);
  };
  byId('set').onchange = show;
  if (sets.length) await show();
  byId('worst').parentElement.hidden = !reports.includes('worst.png');
  if (reports.includes('worst.png')) await showReport(byId('worst'), 'worst.png');
}

/** The points of the card's section on limits: its lines that begin with a dash, and what goes on in the next ones. */
async function limits() {
  const card = await (await request('/model/card')).text();
  const section = card.split(/^## /m).find((part) => part.startsWith('Limits\n')) ?? '';
  const points = section.split(/^- /m).slice(1).map((point) => point.replace(/\s+/g, ' ').replace(/[*`]/g, '').trim());
  byId('limit-list').replaceChildren(...points.map((point) => h('li', { textContent: point })));
}

async function load() {
  try {
    const model = await (await request('/model')).json();
    showTrouble(byId('trouble'), null);
    byId('unlock').hidden = true;
    facts(model);
    figures(model);
    await Promise.all([plots(), limits()]);
  } catch (trouble) {
    byId('unlock').hidden = trouble.slug !== 'unauthorized';
    showTrouble(byId('trouble'), trouble, trouble.slug === 'unauthorized' ? {} : { 'Try again': load });
  }
}

for (const example of document.querySelectorAll('[data-example]')) {
  const shown = listing(example.textContent.replaceAll('http://localhost:8000', location.origin));
  shown.dataset.example = example.dataset.example;
  example.replaceWith(shown);
}
byId('unlock').addEventListener('submit', (event) => {
  event.preventDefault();
  keepKey(event.target.elements.key.value.trim());
  load();
});
load();
watch(load);
