// Drawing with a mouse, a pen or a finger: dark ink on white, whatever the colours of the page.

import { byId } from './dom.js';

const DEBOUNCE_MS = 280;
const PEN = 22; // pixels of the canvas, which is 960 wide

/** Wires the canvas. `drawn(png)` gets the drawing once the pen has rested, null once all of it is gone. */
export function drawing(drawn) {
  const canvas = byId('canvas');
  const context = canvas.getContext('2d');
  let strokes = []; // each a list of points, in pixels of the canvas
  let stroke = null;
  let timer;

  const place = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) * canvas.width) / width, ((event.clientY - top) * canvas.height) / height];
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (!event.isPrimary || event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    stroke = [place(event)];
    strokes.push(stroke);
    changed();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!stroke || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    stroke.push(...(events.length ? events : [event]).map(place));
    changed();
  });
  for (const name of ['pointerup', 'pointercancel']) canvas.addEventListener(name, () => { stroke = null; });
  byId('undo').addEventListener('click', () => { strokes.pop(); changed(); });
  byId('clear').addEventListener('click', () => { strokes = []; changed(); });

  function changed() {
    ink(context, strokes, false);
    byId('undo').disabled = byId('clear').disabled = !strokes.length;
    clearTimeout(timer);
    timer = setTimeout(send, strokes.length ? DEBOUNCE_MS : 0);
  }

  function send() {
    if (!strokes.length) {
      drawn(null);
      return;
    }
    const sheet = new OffscreenCanvas(canvas.width, canvas.height);
    ink(sheet.getContext('2d'), strokes, true);
    sheet.convertToBlob({ type: 'image/png' }).then(drawn);
  }
}

/** The strokes, smooth between the middles of their segments; on white paper where they are sent. */
function ink(context, strokes, paper) {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  if (paper) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  }
  Object.assign(context, { strokeStyle: '#1d1c1a', lineWidth: PEN, lineCap: 'round', lineJoin: 'round' });
  for (const points of strokes) {
    context.beginPath();
    context.moveTo(...points[0]);
    for (let at = 1; at < points.length - 1; at += 1) {
      const [[x, y], [nextX, nextY]] = [points[at], points[at + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...points.at(-1));
    context.stroke();
  }
}
