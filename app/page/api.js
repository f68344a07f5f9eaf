// The service's public API, and words for all that may go wrong on the way to it.

const KEY = 'digit-ocr-key';
// A body larger than this may be too much for a service that cuts the connection before it answers.
const LARGE_BYTES = 1e6;
const TRIES = { overloaded: 8, 'not-ready': 120, 'shutting-down': 3 };

/** What went wrong: a problem document (RFC 9457), or the page's own words where there is no answer. */
export class Trouble extends Error {
  constructor({ slug, title, detail, status = 0, requestId = '', errors = [], retryAfter = 1 }) {
    super(detail);
    Object.assign(this, { slug, title, detail, status, requestId, errors, retryAfter });
  }
}

export function key() {
  try { return sessionStorage.getItem(KEY) || ''; } catch { return ''; }
}

export function keepKey(value) {
  try { sessionStorage.setItem(KEY, value); } catch { /* a browser that keeps nothing asks again */ }
}

/** A path with its parameters, where there are any. */
export function withQuery(path, query) {
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** One request. The response where it is a success; raises Trouble, or AbortError where `signal` ends it. */
export async function request(path, { body, accept, signal } = {}) {
  const headers = {};
  if (key()) headers['X-API-Key'] = key();
  if (accept) headers.Accept = accept;
  let response;
  try {
    response = await fetch(path, { method: body ? 'POST' : 'GET', body, headers, signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw await lost(body?.get?.('file')?.size ?? 0, signal);
  }
  if (response.ok) return response;
  throw await problem(response);
}

/** POSTs an image as `curl -F file=@…` does, and again where the service says that it may. Its JSON, and the time. */
export async function ask(path, file, name, { signal, waits = () => {} } = {}) {
  for (let tried = 1; ; tried += 1) {
    const form = new FormData();
    form.append('file', file, name);
    const started = performance.now();
    try {
      const response = await request(path, { body: form, signal });
      return { json: await response.json(), ms: performance.now() - started };
    } catch (trouble) {
      if (!(trouble instanceof Trouble) || tried >= (TRIES[trouble.slug] ?? 0)) throw trouble;
      waits(trouble);
      await pause(trouble.retryAfter * 1e3 * (0.75 + Math.random() / 2), signal);
    }
  }
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => { clearTimeout(timer); reject(new DOMException('', 'AbortError')); });
  });
}

async function problem(response) {
  const retryAfter = Number(response.headers.get('Retry-After')) || 1;
  const requestId = response.headers.get('X-Request-ID') || '';
  try {
    const { type, title, detail, errors } = await response.json();
    if (title && detail) return new Trouble({ slug: type.split('/').pop(), title, detail, status: response.status, requestId, errors, retryAfter });
  } catch { /* not a problem document: something in between has answered */ }
  return new Trouble({
    slug: 'foreign', status: response.status, requestId, title: `Unexpected answer ${response.status}`,
    detail: 'Something between this page and the service answered in its place, a proxy perhaps. Try again, or ask whoever runs the service.',
  });
}

/** Why there was no answer at all: the service is asked whether it lives. */
async function lost(size, signal) {
  const alive = await fetch('/livez', { signal, cache: 'no-store' }).then((r) => r.ok, () => false);
  if (!alive) {
    return new Trouble({
      slug: 'unreachable', title: 'The service does not answer',
      detail: 'It has stopped, or the network is down. The image is still here: try again once the light at the top is green.',
    });
  }
  if (size > LARGE_BYTES) {
    return new Trouble({
      slug: 'cut-off', title: 'The image was not taken',
      detail: `The connection was closed while ${(size / 1e6).toFixed(1)} MB were being sent: the image may be too large for this service. Shrink it, or send a part of it.`,
    });
  }
  return new Trouble({
    slug: 'interrupted', title: 'The image did not get there',
    detail: 'The connection broke off, or the file has been moved or changed since it was chosen. Try again, or choose it anew.',
  });
}
