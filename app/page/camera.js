// A photo from the camera, which is on only while its panel is looked at.

import { byId, h } from './dom.js';
import { own } from './trouble.js';

const WHY_NOT = {
  NotAllowedError: ['The camera may not be used', 'The permission was refused. Allow the camera for this page, in the address bar or the browser’s settings, and turn it on again; or give an image file.'],
  NotFoundError: ['There is no camera', 'None is connected to this device. Give an image file, or draw.'],
  NotReadableError: ['The camera does not start', 'Another program may be using it. Close that, and turn it on again.'],
};

/** Wires the camera. `take(jpeg)` gets a photo, `refuse(trouble)` why there is none. Returns what turns it off. */
export function camera(take, refuse) {
  const video = byId('video');
  let stream = null;

  function show(on) {
    video.hidden = byId('shutter').hidden = byId('camera-stop').hidden = !on;
    byId('camera-words').hidden = byId('camera-start').hidden = on;
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    show(false);
  }

  byId('camera-start').addEventListener('click', async () => {
    if (!navigator.mediaDevices?.getUserMedia) {
      refuse(own('The camera needs a secure address', `Browsers give the camera only to pages from https:// or from localhost, and this one is from ${location.origin}. Take the photo with the camera’s own program, and choose the file.`));
      return;
    }
    refuse(null);
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1920 } } });
      video.srcObject = stream;
      await video.play();
      show(true);
      byId('shutter').focus();
    } catch (error) {
      stop();
      refuse(own(...(WHY_NOT[error.name] ?? ['The camera does not start', `The browser says: ${error.message}. Give an image file instead.`])));
    }
  });
  byId('shutter').addEventListener('click', () => {
    const canvas = h('canvas', { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext('2d').drawImage(video, 0, 0);
    canvas.toBlob(take, 'image/jpeg', 0.92);
  });
  byId('camera-stop').addEventListener('click', () => { stop(); byId('camera-start').focus(); });
  addEventListener('pagehide', stop);
  return stop;
}
