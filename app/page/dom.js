// Elements without a string of HTML, and what several modules do with them.

export const byId = (id) => document.getElementById(id);

/** An element; `props` are its properties, those with a dash its attributes. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat());
  return element;
}

const FORMATS = [2, 1, 1].map((digits) => new Intl.NumberFormat('en', { maximumFractionDigits: digits, minimumFractionDigits: digits }));

/** A probability in per cent, never rounded to a certainty that it is not. */
export function percent(value) {
  const shown = 100 * value;
  if (value > 0 && shown < 0.01) return '< 0.01 %';
  if (value < 1 && shown >= 99.995) return '> 99.99 %';
  return `${FORMATS[shown < 1 || shown > 99 ? 0 : 1].format(shown)} %`;
}

export const milliseconds = (value) => `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;

export function bytes(count) {
  return count < 1e6 ? `${Math.max(1, Math.round(count / 1e3))} KB` : `${(count / 1e6).toFixed(1)} MB`;
}

export const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Puts text on the clipboard; also where the page is not from a secure origin. Whether it went. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea', { value: text, className: 'visually-hidden', 'aria-hidden': 'true' });
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    before?.focus();
    return done;
  }
}

/** Makes a button copy what `text()` gives, and say so. */
export function copies(button, text) {
  const label = button.textContent;
  let back;
  button.addEventListener('click', async () => {
    button.textContent = (await copy(text())) ? 'Copied' : 'Not copied';
    clearTimeout(back);
    back = setTimeout(() => { button.textContent = label; }, 1600);
  });
  return button;
}

/** Text to read, with a button that copies it. */
export function listing(text, className = '') {
  const button = copies(h('button', { type: 'button', textContent: 'Copy' }), () => text);
  return h('div', { className: 'listing' }, h('pre', { className, tabIndex: 0, role: 'group', 'aria-label': 'Text to copy', textContent: text }), button);
}

/** Says something to those who do not see it. */
export function say(words) {
  byId('said').textContent = words;
}
