// The light at the top: whether the service answers, and with which model.

import { pause, request } from './api.js';
import { byId } from './dom.js';

const EVERY_MS = { ready: 15_000, waiting: 1_000, gone: 2_500 };

/** Asks /readyz for as long as the page is looked at; `back()` is told when the service is ready after it was not. */
export async function watch(back) {
  let before = '';
  for (;;) {
    const [state, words] = await asked();
    if (state !== before || state === 'ready') {
      byId('service').dataset.state = state;
      if (byId('service-words').textContent !== words) byId('service-words').textContent = words;
    }
    if (state === 'ready' && before && before !== 'ready') back();
    before = state;
    await pause(EVERY_MS[state]);
    while (document.hidden) await new Promise((resolve) => { document.addEventListener('visibilitychange', resolve, { once: true }); });
  }
}

async function asked() {
  try {
    const { model } = await (await request('/readyz')).json();
    return ['ready', `${model.name} ${model.version}`];
  } catch (trouble) {
    if (trouble.slug === 'not-ready') return ['waiting', 'Not ready yet: the model loads'];
    if (trouble.slug === 'shutting-down') return ['waiting', 'Shutting down'];
    return ['gone', 'No answer'];
  }
}
