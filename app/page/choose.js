// Images from files, from a drop, from the clipboard, and the samples.

import { request } from './api.js';
import { byId, h } from './dom.js';
import { own } from './trouble.js';

/** Wires the ways to give an image file. `give(files, origin)` gets them, `refuse(trouble)` what is no file. */
export function choosing(give, refuse) {
  for (const [button, input, origin] of [['choose', 'files', 'file'], ['photo', 'capture', 'photo']]) {
    byId(button).addEventListener('click', () => byId(input).click());
    byId(input).addEventListener('change', () => {
      if (byId(input).files.length) give([...byId(input).files], origin);
      byId(input).value = ''; // so that the same file can be chosen again
    });
  }
  dropping(give, refuse);
  pasting(give, refuse);
  for (const button of byId('samples').children) {
    button.addEventListener('click', async () => {
      const name = button.dataset.sample;
      try {
        const blob = await (await request(`/page/samples/${name}`)).blob();
        give([new File([blob], name, { type: blob.type })], 'sample');
      } catch (trouble) {
        refuse(trouble);
      }
    });
  }
}

function dropping(give, refuse) {
  let depth = 0; // events come from every element that is crossed
  const over = (change) => {
    depth = change ? Math.max(0, depth + change) : 0;
    document.body.classList.toggle('over', depth > 0);
  };
  const files = (event) => event.dataTransfer?.types.includes('Files');
  document.addEventListener('dragenter', (event) => { if (files(event)) over(1); });
  document.addEventListener('dragleave', (event) => { if (files(event)) over(-1); });
  document.addEventListener('dragover', (event) => { if (files(event)) event.preventDefault(); });
  document.addEventListener('drop', (event) => {
    over(0);
    if (!files(event)) return;
    event.preventDefault();
    const folders = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folders) refuse(own('A folder is no image', 'Open the folder, select the images in it, and drop those.'));
    else if (event.dataTransfer.files.length) give([...event.dataTransfer.files], 'file');
  });
}

function pasting(give, refuse) {
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) {
      event.preventDefault();
      give(files, 'clipboard');
    } else if (!event.target.closest?.('input')) {
      refuse(own('There is no image on the clipboard', 'Copy an image, not its address or a text, and paste again.'));
    }
  });
  byId('paste').hidden = !navigator.clipboard?.read;
  byId('paste').addEventListener('click', async () => {
    try {
      const images = [];
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((one) => one.startsWith('image/'));
        if (type) images.push(new File([await item.getType(type)], `pasted.${type.split('/')[1]}`, { type }));
      }
      if (images.length) give(images, 'clipboard');
      else refuse(own('There is no image on the clipboard', 'Copy an image, not its address or a text, and paste again.'));
    } catch {
      refuse(own('The clipboard may not be read', 'Allow it in the browser, or paste with the keyboard: Ctrl V, on a Mac ⌘ V.'));
    }
  });
}

/** The same image with fewer pixels, as a JPEG; null where the browser cannot open it. */
export async function shrunk(file, pixels = 8e6) {
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, Math.sqrt(pixels / (image.width * image.height)));
    const canvas = h('canvas', { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', 0.88); });
  } catch {
    return null;
  }
}
