// Images on their way to an answer, a few at a time.

import { ask, Trouble } from './api.js';

const AT_ONCE = 3;

/** One image: its bytes, and what became of it. */
export class Item {
  constructor(file, name, origin) {
    this.file = file;
    this.name = name;
    this.origin = origin; // file, sample, drawing, photo or clipboard
    this.url = URL.createObjectURL(file);
    this.state = 'waiting'; // … reading, done, failed
  }

  /** Other bytes in its place: a drawing that went on, a photo made smaller. */
  replace(file, name = this.name) {
    URL.revokeObjectURL(this.url);
    Object.assign(this, { file, name, url: URL.createObjectURL(file) });
  }
}

/** Reads items; `changed(item)` is told of every step. `query()` gives the path and the parameters of now. */
export class Queue {
  constructor(query, changed) {
    this.query = query;
    this.changed = changed;
    this.waiting = [];
    this.running = 0;
  }

  add(...items) {
    for (const item of items) {
      item.abort?.abort();
      item.state = 'waiting';
      item.trouble = null;
      if (!this.waiting.includes(item)) this.waiting.push(item);
      this.changed(item);
    }
    while (this.running < AT_ONCE && this.waiting.length) this.#read(this.waiting.shift());
  }

  async #read(item) {
    this.running += 1;
    const abort = new AbortController();
    Object.assign(item, { abort, state: 'reading', wait: null });
    this.changed(item);
    const path = this.query();
    let outcome;
    try {
      const { json, ms } = await ask(path, item.file, item.name, {
        signal: abort.signal,
        waits: (trouble) => { item.wait = trouble; this.changed(item); },
      });
      outcome = { state: 'done', answer: json, ms, path, sent: item.file };
    } catch (error) {
      if (!abort.signal.aborted && !(error instanceof Trouble)) console.error(error);
      outcome = { state: 'failed', answer: null, trouble: error };
    }
    this.running -= 1;
    if (!abort.signal.aborted) { // else it is asked anew already
      Object.assign(item, outcome, { wait: null });
      this.changed(item);
    }
    this.add();
  }
}
