// One digit at a time: ten probabilities, the glyph that the network saw, and where it looked.

import { ask, withQuery } from './api.js';
import { byId, h, percent } from './dom.js';

let explains = true; // until the service says that it knows no such parameter, or that its model has no explanations

const unable = ({ slug, errors }) => slug === 'not-explainable' || (slug === 'invalid-parameter' && errors.some((one) => one.parameter === 'explain'));

/** POST /predict with an explanation where the service gives one. The path that it took, the JSON, the time. */
export async function explain(file, name, query, signal) {
  const path = (explained) => {
    const all = new URLSearchParams(query);
    if (explained) all.set('explain', 'true');
    return withQuery('/predict', all);
  };
  if (explains) {
    try {
      return { path: path(true), ...(await ask(path(true), file, name, { signal })) };
    } catch (trouble) {
      if (!unable(trouble)) throw trouble;
      explains = false;
    }
  }
  return { path: path(false), ...(await ask(path(false), file, name, { signal })) };
}

/** Draws the answer of /predict; without one, empty bars. */
export function showDigit(answer) {
  const values = answer ? [...answer.probabilities, answer.non_digit_probability] : Array(11).fill(0);
  const best = answer && answer.digit !== null ? values.indexOf(Math.max(...values)) : -1;
  const bars = byId('bars');
  if (!bars.children.length) bars.append(...values.map((_, index) => bar(index)));
  values.forEach((value, index) => {
    const row = bars.children[index];
    row.className = `bar${index === best ? ' best' : ''}${answer?.rejected ? ' unsure' : ''}`;
    row.querySelector('i').style.transform = `scaleX(${value})`;
    row.querySelector('em').textContent = answer ? percent(value) : '';
  });
  showExplanation(answer);
}

function bar(index) {
  return h('li', { className: 'bar' }, h('b', { textContent: index < 10 ? String(index) : 'none' }),
    h('span', { 'aria-hidden': 'true' }, h('i')), h('em'));
}

function showExplanation(answer) {
  const { glyph, map, digit, method } = answer?.explanation ?? {};
  byId('seen').classList.toggle('without', !glyph);
  paint(byId('glyph'), glyph, (row, column) => grey(glyph[row][column]));
  paint(byId('map'), glyph && map, (row, column) => warm(glyph[row][column], map[row][column]));
  byId('glyph').setAttribute('aria-label', glyph ? `The glyph of this ${digit}, 28 by 28 pixels` : 'No glyph');
  byId('map').setAttribute('aria-label', map ? `${method}: what speaks for ${digit} lies ${where(map)}` : 'No map');
  byId('map-words').textContent = map ? `Where it looked to say ${digit} (${method})` : 'Where it looked';
}

function paint(canvas, has, colour) {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, 28, 28);
  if (!has) return;
  const pixels = context.createImageData(28, 28);
  for (let at = 0; at < 784; at += 1) pixels.data.set(colour(Math.floor(at / 28), at % 28), 4 * at);
  context.putImageData(pixels, 0, 0);
}

const grey = (value) => [value, value, value, 255];

/** Ink as grey, and over it the map: from nothing over violet and orange to light yellow. */
function warm(ink, weight) {
  const stops = [[18, 14, 42], [92, 22, 110], [202, 62, 70], [250, 150, 40], [252, 240, 150]];
  const place = Math.min(weight, 0.9999) * (stops.length - 1);
  const [from, to] = [stops[Math.floor(place)], stops[Math.floor(place) + 1]];
  const heat = from.map((value, channel) => value + (to[channel] - value) * (place % 1));
  const share = 0.25 + 0.6 * weight;
  return [...heat.map((value) => share * value + (1 - share) * ink), 255];
}

/** The place of a map's centre of mass, in words. */
function where(map) {
  let [mass, down, right] = [1e-9, 0, 0];
  map.forEach((line, row) => line.forEach((value, column) => { mass += value; down += value * row; right += value * column; }));
  const word = (value, names) => names[value < 11 ? 0 : value < 17 ? 1 : 2];
  const place = [word(down / mass, ['at the top', '', 'at the bottom']), word(right / mass, ['on the left', '', 'on the right'])];
  return place.filter(Boolean).join(' ') || 'in the middle';
}
