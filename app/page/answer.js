// The answer to one image: number, picture, the chosen digit, times, and the requests behind it.

import { key } from './api.js';
import { showCalls, showTimes } from './calls.js';
import { explain, showDigit } from './digit.js';
import { byId, bytes, copies, h, percent, plural } from './dom.js';
import { cut, Picture, words } from './picture.js';
import { showTrouble } from './trouble.js';

/** The digits of an answer of /read or /predict, in the order of its text. */
export function digitsOf(answer) {
  if (answer.lines) return answer.lines.flatMap((line) => line.digits);
  const { digit, confidence, rejected, box } = answer;
  return digit === null ? [] : [{ digit, confidence, rejected, box }];
}

export const textOf = (answer) => answer.text ?? (answer.digit === null ? '' : String(answer.digit));

/** The panel of the answer. `query()` gives the parameters that /predict shares with what was asked. */
export class Answer {
  constructor(query) {
    this.query = query;
    this.picture = new Picture(byId('stage'), (index, focus) => this.choose(index, focus));
    copies(byId('copy'), () => textOf(this.item.answer));
    byId('previous').addEventListener('click', () => this.choose(this.chosen - 1));
    byId('next').addEventListener('click', () => this.choose(this.chosen + 1));
  }

  clear() {
    this.abort?.abort();
    this.item = null;
    byId('result').hidden = true;
    byId('empty').hidden = false;
  }

  async show(item) {
    this.abort?.abort();
    const same = this.item === item;
    this.item = item;
    this.digits = digitsOf(item.answer);
    byId('empty').hidden = true;
    byId('result').hidden = false;
    byId('result').setAttribute('aria-busy', 'false');
    const { width, height } = item.answer.image;
    byId('about-image').replaceChildren(h('span', { textContent: `${item.name} · ${width} × ${height} pixels · ${bytes(item.sent.size)}` }));
    this.#number();
    byId('verdict').replaceChildren(...verdict(item.answer, this.digits));
    showTimes(item.answer, item.ms);
    this.#calls();
    if (!same) showDigit(null);
    byId('digit').hidden = !this.digits.length;
    if (!(await this.picture.show(item, this.digits, item.answer.image)) || this.item !== item) return;
    const least = this.digits.reduce((at, digit, index) => (digit.confidence < this.digits[at].confidence ? index : at), 0);
    if (this.digits.length) await this.choose(least);
  }

  busy() {
    byId('result').setAttribute('aria-busy', 'true');
  }

  /** Chooses a digit: its probabilities, its glyph, and why. */
  async choose(index, focus = false) {
    if (!this.digits[index]) return;
    this.abort?.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    const { item } = this;
    this.chosen = index;
    this.picture.mark(index, focus);
    byId('number').querySelectorAll('[data-at]').forEach((one) => one.classList.toggle('chosen', this.digits.length > 1 && Number(one.dataset.at) === index));
    const count = this.digits.length;
    byId('digit-title').textContent = count === 1 ? `Why ${this.digits[0].digit}` : `Digit ${index + 1} of ${count}: ${words(this.digits[index])}`;
    byId('previous').parentElement.hidden = count === 1;
    byId('previous').disabled = index === 0;
    byId('next').disabled = index === count - 1;
    const whole = count === 1;
    const file = whole ? item.sent : this.picture.image && await cut(this.picture.image, this.digits.map((one) => one.box), index);
    if (signal.aborted) return;
    if (!file) {
      showDigit(null);
      byId('digit-words').textContent = 'This browser cannot open the image, so that no single digit can be cut out of it.';
      return;
    }
    const name = whole ? item.name : `${item.name.replace(/\.\w+$/, '')}-digit-${index + 1}.png`;
    try {
      const call = await explain(file, name, this.query(), signal);
      if (signal.aborted) return;
      showDigit(call.json);
      byId('digit-words').textContent = about(call.json, this.digits[index].digit, whole);
      this.#calls({ ...call, name, file });
    } catch (trouble) {
      if (signal.aborted) return;
      showDigit(null);
      byId('digit-words').textContent = `${trouble.title}: ${trouble.detail}`;
    }
  }

  #number() {
    const { answer } = this.item;
    const text = textOf(answer);
    let at = 0;
    const lines = text.split('\n').map((line) => h('span', { className: 'line' }, [...line].map((character) => {
      const digit = this.digits[at];
      const span = h('span', { className: digit.rejected ? 'unsure' : '', title: words(digit), textContent: character });
      span.dataset.at = at;
      at += 1;
      return span;
    })));
    const number = byId('number');
    number.dataset.size = text.length > 60 ? 'long' : text.length > 12 || lines.length > 2 ? 'middle' : 'short';
    number.replaceChildren(...(text
      ? [h('span', { className: 'visually-hidden', textContent: text }), h('span', { 'aria-hidden': 'true' }, lines)]
      : [h('span', { className: 'none', textContent: 'No digits' })]));
    byId('copy').disabled = !text;
  }

  #calls(second) {
    const { path, name, sent, answer } = this.item;
    const first = { path, name, file: sent, json: answer };
    const calls = second && path.startsWith('/predict') ? [second] : [first, second].filter(Boolean);
    showCalls(calls, Boolean(key()));
  }
}

function verdict(answer, digits) {
  if (!digits.length) {
    return ['There is no ink in the image that looks like a digit. Where there should be some: come closer, crop to the digits, or tell in the options whether the ink is dark or light.'];
  }
  const unsure = digits.filter((digit) => digit.rejected).length;
  const all = digits.length === 1 ? 'that it is right' : 'that all of it is right';
  const lines = answer.lines?.length > 1 ? ` in ${answer.lines.length} lines` : '';
  const marked = !unsure ? [' No digit is unsure.']
    : [' ', h('b', { textContent: digits.length === 1 ? 'It is unsure' : `${unsure} of them ${unsure === 1 ? 'is' : 'are'} unsure` }), ', marked by a wavy line: look yourself.'];
  return [`${plural(digits.length, 'digit')}${lines}; ${percent(answer.confidence)} sure ${all}.`, ...(digits.length === 1 && !unsure ? [] : marked)];
}

function about(answer, read, whole) {
  if (whole) return answer.explanation === undefined ? 'This service does not explain its answers.' : '';
  const alone = 'The digit was cut out and asked about alone, by /predict; /read saw it among its neighbours.';
  const likeliest = answer.non_digit_probability > answer.confidence ? null : answer.digit;
  return likeliest === read ? alone : `${alone} Alone it looks more like ${likeliest ?? 'no digit'}.`;
}

/** Shows what is the matter with an item, and the ways out. */
export function showItemTrouble(item, deeds) {
  showTrouble(byId('trouble'), item.trouble && { ...item.trouble, detail: item.trouble.detail, title: `${item.name}: ${item.trouble.title}` }, deeds);
}
