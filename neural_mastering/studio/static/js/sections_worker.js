/* Asks the server for sections away from the page's thread, and hands them straight to the audio thread: a drag is
   heard while the page still draws it. One request at a time; of those that wait, the newest counts.

   In: {id, song, body} asks; {port, song} names the audio thread of a song.
   Out: {id, song, sections, ms}, where `ms` is the time until the answer, or {error}. */

import { sendText } from "./api.js";

let listener = null; // {port, song}
let asked = null;
let isBusy = false;
let newest = null; // the last answer
let text = ""; // of it

function hand(isOther) {
  if (newest && newest.song === listener?.song) listener.port.postMessage({ type: "sections", voice: 0, endsRegion: isOther, ...newest });
}

async function work() {
  isBusy = true;
  while (asked) {
    const { id, song, body } = asked;
    asked = null;
    const started = performance.now();
    try {
      const before = text;
      text = await (await sendText("/sections", body)).text();
      newest = { id, song, sections: JSON.parse(text) };
      hand(text !== before);
      postMessage({ ...newest, ms: performance.now() - started });
    } catch (error) {
      postMessage({ error: error.message });
    }
  }
  isBusy = false;
}

addEventListener("message", ({ data }) => {
  if (data.port) {
    listener?.port.close();
    listener = data;
    hand(false);
    return;
  }
  asked = data;
  if (!isBusy) void work();
});
