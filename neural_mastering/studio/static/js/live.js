/* Second-order sections of the controls in use, computed by the server; sections_worker.js asks for them. */

import { alertUser, clone } from "./dom.js";
import { isLeftOut } from "./session.js";
import { store } from "./store.js";

/** Controls as they are rendered: each stage weakened by its strength, skipped stages neutral. */
export function weakened(controls, settings, skipped = []) {
  const share = (stage) => (skipped.includes(stage) || isLeftOut(settings, stage) ? 0 : (settings.strength[stage] ?? settings.overall_strength));
  const used = clone(controls);
  for (const band of used.eq) band.gain_db *= share("eq");
  used.gain_db *= share("gain");
  used.residual_amount *= share("residual");
  for (const [name, values] of Object.entries(used.stages)) {
    const about = store.catalogue.stages.find((stage) => stage.name === name);
    for (const { key, neutral } of about?.controls ?? []) {
      if (neutral === null || neutral === undefined || values[key] === undefined) continue;
      const towards = (v) => neutral + share(name) * (v - neutral);
      values[key] = Array.isArray(values[key]) ? values[key].map(towards) : towards(values[key]);
    }
  }
  return used;
}

/** Stages that aren't heard beside the one that is listened to alone. */
export function silenced() {
  const { session, view } = store;
  if (!view.solo) return [];
  return stageNames(session.used).filter((name) => name !== view.solo);
}

export const stageNames = (controls) => ["eq", "gain", ...Object.keys(controls?.stages ?? {}), "residual"];

const worker = new Worker(new URL("sections_worker.js", import.meta.url), { type: "module" });
let asked = ""; // what was asked last
let count = 0;

/** Has controls heard at once, before the page stores or draws them. */
export function hear(controls) {
  const { session, song } = store;
  if (!song?.sample_rate) return;
  const body = JSON.stringify({ controls: weakened(controls, session.settings, silenced()), sample_rate: song.sample_rate });
  if (body === asked) return;
  asked = body;
  worker.postMessage({ id: `live-${++count}`, song: song.id, body });
}

/** Tells the worker which audio thread plays the song. */
export const playOn = (port, song) => worker.postMessage({ port, song }, [port]);

export function watchSections() {
  worker.addEventListener("message", ({ data: { error, song, sections } }) => {
    if (error) {
      asked = "";
      alertUser(error);
    } else if (song === store.currentId) {
      store.sections = sections;
      store.emit("sections");
    }
  });
  worker.addEventListener("error", () => alertUser("The page could not be loaded whole: load it again."));
  store.on("current", () => (asked = ""));
  store.on("session decided current view", () => store.session?.used && hear(store.session.used));
}
