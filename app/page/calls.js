// The same requests from a shell, the JSON of their answers, and where their time went.

import { byId, h, listing, milliseconds } from './dom.js';

const STAGES = ['decode', 'segment', 'queue', 'inference', 'postprocess'];

const quoted = (text) => (/^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function curl(path, name, withKey) {
  const header = withKey ? ' -H "X-API-Key: $KEY"' : '';
  return `curl${header} -F ${quoted(`file=@${name}`)} ${quoted(location.origin + path)}`;
}

let saved = []; // addresses of what may be saved now

/** `calls`: those made for what is shown, each with path, name, file and json. */
export function showCalls(calls, withKey) {
  const open = new Set([...byId('calls').querySelectorAll('details[open]')].map((one) => one.dataset.path));
  saved.forEach((url) => URL.revokeObjectURL(url));
  saved = calls.map(({ file }) => URL.createObjectURL(file));
  byId('calls').replaceChildren(...calls.map(({ path, name, json }, index) => {
    const endpoint = path.split('?')[0];
    const save = h('a', { href: saved[index], download: name, textContent: `Save ${name}` });
    return h('details', { className: 'call-made', open: open.has(endpoint), 'data-path': endpoint },
      h('summary', { textContent: `POST ${path}` }),
      h('p', { className: 'hint' }, 'From a shell, in the folder of the image. ', save),
      listing(curl(path, name, withKey)),
      h('p', { className: 'hint', textContent: 'The answer, as it came' }),
      listing(JSON.stringify(json, null, 2), 'json'));
  }));
}

export function showTimes({ timings_ms: timings }, ms) {
  const strip = h('div', { className: 'strip', 'aria-hidden': 'true' }, STAGES.map((stage, index) => {
    const part = h('i', { className: `t${index}` });
    part.style.flex = `${timings[stage]} 0 0`;
    return part;
  }));
  const legend = h('p', { className: 'legend' }, STAGES.map((stage, index) => h('span', {}, h('i', { className: `t${index}`, 'aria-hidden': 'true' }), `${stage} ${milliseconds(timings[stage])}`)));
  byId('times').replaceChildren(
    h('p', {}, `${milliseconds(timings.total)} in the service`, h('span', { className: 'hint' }, `, ${milliseconds(ms)} with the way there and back`)),
    strip, legend);
}
