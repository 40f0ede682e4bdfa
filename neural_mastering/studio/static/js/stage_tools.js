/* Bypass and solo of one stage. */

import { button, icon, make } from "./dom.js";
import { isLeftOut, leaveOut } from "./session.js";
import { sound } from "./sound.js";
import { store } from "./store.js";

const LIVE = ["eq", "gain", "mid_side_eq", "stereo"]; // the browser plays these, the server the others

/** On/off (in the master, too) and solo (for listening only). */
export function stageTools(name, title) {
  const power = button("", {
    className: "icon-button toggle",
    "aria-label": `${title} on`,
    title: "On or bypassed, in the master too",
    onclick: () =>
      store.editSettings((settings) => leaveOut(settings, name, !isLeftOut(settings, name))),
  });
  power.replaceChildren(icon("power"));
  const solo = button("S", {
    className: "icon-button toggle solo",
    "aria-label": `${title} solo`,
    title: "Solo: hear only this stage",
    onclick: () => {
      const alone = store.view.solo !== name;
      store.setView({ solo: alone ? name : null });
      if (alone && !LIVE.includes(name)) sound.setExact(true);
    },
  });
  const node = make("span", { className: "stage-tools" }, solo, power);
  const update = () => {
    if (!store.session) return;
    power.setAttribute("aria-pressed", !isLeftOut(store.session.settings, name));
    solo.setAttribute("aria-pressed", store.view.solo === name);
  };
  store.on("session current view", update);
  update();
  return node;
}
