/* Settings as panels change and show them. */

import { announce } from "./dom.js";
import { store } from "./store.js";

/** Changes a setting that the sound is decided by; edits by hand are then in the undo. */
export function decideBy(change, key) {
  if (store.editSettings(change, key))
    announce("The sound is decided anew. Undo brings back what you had edited by hand.");
}

/** Calls `update` with the settings of the song on the table, whenever they have changed. */
export const bind = (update) => {
  store.on("session current", () => store.session && update(store.session.settings));
};
