/* How far above the loudness peaks are kept: up to the ceiling, as references ask, or by a number of one's own. */

import { make } from "./dom.js";
import { number } from "./format.js";
import { bind } from "./settings.js";
import { store } from "./store.js";
import { choice, numberField } from "./widgets.js";

const OWN = "own";
const OFF = "off";
const OWN_PLR_DB = 10;
const CEILING = "Up to the ceiling";

/** What a decision comes to, in words; empty where peaks are left alone. */
export function plrText(plr) {
  if (!plr?.share) return "";
  const way = plr.share < 1 ? `${Math.round(100 * plr.share)}\u00a0% of the way to ` : "";
  return `${way}${number(plr.plr_db)}\u00a0dB above the loudness`;
}

export function peaksField() {
  const change = (value, key) => store.editSettings((settings) => (settings.plr = value), key);
  const peaks = choice({ label: "Peaks", options: [], change: (value) => change(value === OWN ? OWN_PLR_DB : value) });
  const own = numberField({ label: "Peak to loudness", unit: "dB", low: 3, high: 30, step: 0.5, change: (value) => change(value, "plr") });
  const tell = (settings) => {
    const isFollowed = settings.references.length > 0;
    const isOwn = settings.plr !== null && settings.plr !== OFF;
    const asked = settings.plr === null ? plrText(store.session.decided?.plr) : "";
    const first = isFollowed ? [{ value: null, text: "As the references", about: asked && `Brought down where theirs lie lower: ${asked}` }, { value: OFF, text: CEILING }] : [{ value: null, text: CEILING }];
    const about = "Brought down this far above the loudness, if they lie more than 1 dB higher";
    peaks.fill([...first, { value: OWN, text: "A number of my own", about }]);
    peaks.set(isOwn ? OWN : isFollowed ? settings.plr : null);
    own.node.hidden = !isOwn;
    if (isOwn) own.set(Number.parseFloat(settings.plr));
  };
  bind(tell);
  store.on("decided", () => store.session && tell(store.session.settings));
  return make("div", { className: "field block peaks" }, peaks.node, own.node);
}
