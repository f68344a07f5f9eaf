// The image with a box on every digit. One stop for the Tab key; the arrow keys go from box to box.

import { request } from './api.js';
import { h, percent } from './dom.js';

/** A digit's words, for the tip of its box and for screen readers. */
export const words = (digit) => `${digit.digit} · ${percent(digit.confidence)}${digit.rejected ? ' · unsure' : ''}`;

/** Shows an item's image in `stage`. `digits` have boxes; `choose(index)` is told which one is chosen. */
export class Picture {
  constructor(stage, choose) {
    this.stage = stage;
    this.choose = choose;
    this.boxes = [];
    this.image = null; // what digits can be cut from
    this.turn = 0; // a drawing may be shown anew before it is shown
  }

  /** Whether it is shown: not where another call came meanwhile. */
  async show(item, digits, size) {
    this.turn += 1;
    const { turn } = this;
    const frame = h('div', { className: 'picture' });
    frame.style.setProperty('--ratio', size ? size.width / size.height : 1.6);
    this.boxes = size ? digits.map((digit, index) => this.#box(digit, index, digits.length, size)) : [];
    const image = h('img', { alt: `The image ${item.name}` });
    this.image = null;
    image.src = item.url;
    const shown = await image.decode().then(() => true, () => false);
    if (this.turn !== turn) return false;
    // What the browser turns another way than the service is shown as the service sees it.
    const alike = !size || (image.naturalWidth === size.width && image.naturalHeight === size.height);
    if (shown && alike) {
      this.image = image;
      if (!size) frame.style.setProperty('--ratio', image.naturalWidth / image.naturalHeight);
      frame.append(image);
    } else {
      frame.append(await this.#drawnByService(item, image, Boolean(size), frame));
    }
    if (this.turn !== turn) return false;
    frame.append(h('div', { role: 'group', 'aria-label': 'Digits found; the arrow keys go from one to the next' }, this.boxes));
    const focused = this.stage.contains(document.activeElement) && this.chosen;
    this.stage.replaceChildren(frame);
    if (focused !== false && focused !== undefined) this.boxes[focused]?.focus();
    return true;
  }

  mark(index, focus = false) {
    this.chosen = index;
    this.boxes.forEach((box, at) => {
      box.tabIndex = at === index ? 0 : -1;
      box.setAttribute('aria-pressed', String(at === index));
    });
    if (focus) this.boxes[index]?.focus();
  }

  #box({ box, ...digit }, index, count, size) {
    const button = h('button', {
      type: 'button', className: `box${digit.rejected ? ' unsure' : ''}`, tabIndex: index ? -1 : 0,
      'data-tip': words(digit), 'aria-pressed': 'false', 'aria-label': `Digit ${index + 1} of ${count}: ${words(digit)}`,
      onclick: () => this.choose(index),
      onkeydown: (event) => {
        const to = { ArrowRight: index + 1, ArrowDown: index + 1, ArrowLeft: index - 1, ArrowUp: index - 1, Home: 0, End: count - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        this.choose(Math.max(0, Math.min(count - 1, to)), true);
      },
    });
    if (box.left < size.width * 0.12) button.classList.add('first');
    else if (box.left + box.width > size.width * 0.88) button.classList.add('last');
    for (const [name, part, whole] of [['left', box.left, size.width], ['width', box.width, size.width],
      ['top', box.top, size.height], ['height', box.height, size.height]]) {
      button.style[name] = `${(100 * part) / whole}%`;
    }
    return button;
  }

  /** For formats that the browser has no decoder for: the service's own picture of its answer. */
  async #drawnByService(item, image, answered, frame) {
    const nothing = h('p', { className: 'nothing hint', textContent: `This browser cannot show ${item.name}.` });
    if (!answered) return nothing;
    const form = new FormData();
    form.append('file', item.file, item.name);
    try {
      const response = await request(item.path.replace(/^\/predict/, '/read'), { body: form, accept: 'image/png' });
      image.src = URL.createObjectURL(await response.blob());
      await image.decode();
      URL.revokeObjectURL(image.src);
      frame.classList.add('drawn');
      return image;
    } catch {
      return nothing;
    }
  }
}

/** A digit cut out of an image with paper around it, but with none of its neighbours: a PNG. */
export async function cut(image, boxes, index) {
  const { left, top, width, height } = boxes[index];
  const margin = Math.max(3, Math.round(0.25 * Math.max(width, height)));
  let [from, to] = [left - margin, left + width + margin];
  for (const other of boxes) {
    if (other.top >= top + height || other.top + other.height <= top) continue;
    if (other.left + other.width <= left) from = Math.max(from, Math.ceil((other.left + other.width + left) / 2));
    if (other.left >= left + width) to = Math.min(to, Math.floor((left + width + other.left) / 2));
  }
  const [x, y] = [Math.max(0, from), Math.max(0, top - margin)];
  const canvas = h('canvas', {
    width: Math.max(1, Math.min(image.naturalWidth, to) - x), height: Math.max(1, Math.min(image.naturalHeight, top + height + margin) - y),
  });
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, -x, -y);
  return new Promise((resolve) => { canvas.toBlob(resolve); });
}
