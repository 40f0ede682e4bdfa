/* Where the song stands among the songs of its style: each region and number, in standard deviations. */

import { byId, clamp, make } from "./dom.js";
import { signed, title } from "./format.js";
import { store } from "./store.js";
import { heading } from "./widgets.js";

const WIDEST = 3; // standard deviations at the ends of a strip
const FAR = 1.282; // outside of 80 % of all songs

function row({ name, span, unit, difference, sigma, text }) {
  const dot = make("i", {});
  dot.style.left = `${50 + (50 * clamp(sigma, -WIDEST, WIDEST)) / WIDEST}%`;
  return make(
    "li",
    { title: text, className: Math.abs(sigma) > FAR ? "far" : "" },
    make("span", {}, title(name), span ? make("small", { className: "unseen" }, ` ${span}`) : null),
    make("span", { className: "strip", "aria-hidden": "true" }, dot),
    make("b", {}, `${signed(difference)}\u00a0${unit}`)
  );
}

export function buildStandingPanel() {
  const list = make("ul", { className: "standings" });
  const hint = make("p", { className: "hint" });
  byId("standing").append(heading("standing-title", "Where it stands"), list, hint);
  const update = () => {
    const corridor = store.session?.decided?.corridor;
    const rows = [...(corridor?.regions ?? []), ...(corridor?.numbers ?? [])].filter(({ sigma }) => Number.isFinite(sigma));
    list.replaceChildren(...rows.map(row));
    hint.textContent = corridor?.refused ?? "Against the middle of the songs it is compared with; half of them lie in the green.";
    byId("standing").hidden = !rows.length && !corridor?.refused;
  };
  store.on("decided current deciding", update);
  update();
}
