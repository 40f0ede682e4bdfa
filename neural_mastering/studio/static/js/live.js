/* Second-order sections of the controls in use, computed by the server: one request at a time, the newest counts. */

import { post } from "./api.js";
import { alertUser, clone, same } from "./dom.js";
import { store } from "./store.js";

/** Controls as they are rendered: each stage weakened by its strength, skipped stages neutral. */
export function weakened(controls, settings, skipped = settings.skip) {
  const share = (stage) => (skipped.includes(stage) ? 0 : (settings.strength[stage] ?? settings.overall_strength));
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

/** Stages that aren't heard: those skipped, and all but the one that is listened to alone. */
export function silenced() {
  const { session, view } = store;
  if (!view.solo) return session.settings.skip;
  return stageNames(session.used).filter((name) => name !== view.solo);
}

export const stageNames = (controls) => ["eq", "gain", ...Object.keys(controls?.stages ?? {}), "residual"];

let asked = null;
let busy = false;

async function renew() {
  const { session, song } = store;
  if (!session?.used || !song?.sample_rate) return;
  asked = { controls: weakened(session.used, session.settings, silenced()), sample_rate: song.sample_rate };
  if (busy) return;
  busy = true;
  try {
    let sent = null;
    while (!same(sent, asked)) {
      sent = asked;
      store.sections = await post("/sections", sent);
      store.emit("sections");
    }
  } catch (error) {
    alertUser(error.message);
  } finally {
    busy = false;
  }
}

export function watchSections() {
  store.on("session decided current view", () => void renew());
}
