/* The equaliser: picture, handles, the chosen band in numbers, and what the lines mean. */

import { button, byId, icon, iconButton, make } from "./dom.js";
import { addBand, changeBand, EqHandles, limits, removeBand, resetBand } from "./eq_handles.js";
import { bandColour, EqView } from "./eq_view.js";
import { words } from "./format.js";
import { store } from "./store.js";
import { check, choice, heading, numberField, slider } from "./widgets.js";
import { stageTools } from "./stage_tools.js";

const HELP =
  "Arrow up and down: gain; left and right: frequency; Page up and down: Q; Home: 0 dB; Backspace: as decided; Delete: remove; N and P: next and previous band. Shift moves finely.";

function bandStrip() {
  const chosen = () => store.session?.used?.eq[store.band];
  const name = make("strong", { className: "band-name" });
  const turn = (way) => store.selectBand((store.band + way + store.session.used.eq.length) % store.session.used.eq.length);
  const kinds = store.catalogue.eq.kinds.map((kind) => ({ value: kind, text: words(kind) }));
  const edit = (change) => changeBand(store.band, change, `field-${store.band}`);
  const { frequency_hz: f, gain_db: g, q } = limits();
  const kind = choice({ label: "Shape", options: kinds, hideLabel: true, change: (value) => edit({ kind: value }) });
  const fields = {
    frequency_hz: numberField({ label: "Frequency", hideLabel: true, unit: "Hz", low: f[0], high: f[1], digits: 0, log: true, change: (v) => edit({ frequency_hz: v }) }),
    gain_db: numberField({ label: "Gain", hideLabel: true, unit: "dB", low: g[0], high: g[1], digits: 1, step: 0.5, plus: true, change: (v) => edit({ gain_db: v }) }),
    q: numberField({ label: "Q", low: q[0], high: q[1], digits: 2, log: true, change: (v) => edit({ q: v }) }),
  };
  const own = make(
    "div",
    { className: "band-own" },
    iconButton("left", "Previous band", { onclick: () => turn(-1) }),
    name,
    iconButton("right", "Next band", { onclick: () => turn(1) }),
    kind.node,
    ...Object.values(fields).map((field) => field.node),
    button("Reset", { className: "quiet", title: "Back to what was decided", onclick: () => resetBand(store.band) }),
    button("Remove", { className: "quiet", onclick: () => removeBand(store.band) })
  );
  const none = make("p", { className: "hint" }, "No bands: double-click in the picture, or add one.");
  const node = make("div", { className: "band-strip" }, own, none);
  const update = () => {
    const band = chosen();
    own.hidden = !band;
    none.hidden = Boolean(band) || !store.session?.used;
    if (!band) return;
    own.style.setProperty("--c", `var(${bandColour(store.band)})`);
    name.textContent = `Band ${store.band + 1} of ${store.session.used.eq.length}`;
    kind.set(band.kind);
    for (const [key, field] of Object.entries(fields)) field.set(band[key]);
  };
  store.on("session decided current view", update);
  return node;
}

function legend() {
  const entry = (name, text) => make("li", { className: name }, make("i", { "aria-hidden": "true" }), text);
  const usual = entry("corridor", "");
  const balance = [entry("mix", "Your mix"), entry("after", "After the equaliser"), usual];
  const list = make("ul", { className: "legend" }, entry("curve", "Equaliser"), ...balance, entry("spectrum", "Spectrum"));
  const refused = make("p", { className: "hint" });
  const update = () => {
    const corridor = store.session?.decided?.corridor;
    const known = store.view.layers.balance && Boolean(corridor?.usual_db);
    for (const node of balance) node.hidden = !known;
    list.lastChild.hidden = !store.view.layers.spectrum;
    const { settings } = store.session ?? {};
    usual.lastChild.textContent = settings?.references.length ? "0 dB: the reference" : `Where half and 80 % of ${styleName(settings?.style)} lie`;
    refused.textContent = corridor?.refused ?? "";
    refused.hidden = !refused.textContent;
  };
  store.on("session decided current view", update);
  return make("div", { className: "eq-legend" }, list, refused);
}

const styleName = (style) => (!style || style === "auto" || style === "none" ? "songs like this" : `“${words(style)}” songs`);

function gainSlider() {
  const gain = slider({
    label: "Gain after the equaliser",
    low: -12,
    high: 12,
    step: 0.1,
    home: 0,
    read: (v) => `${v > 0 ? "+" : v < 0 ? "\u2212" : ""}${Math.abs(v).toFixed(1)} dB`,
    change: (v) => store.editControls((controls) => (controls.gain_db = v), "gain"),
  });
  store.on("session decided current", () => store.session?.used && gain.set(store.session.used.gain_db));
  return gain.node;
}

export function buildEqPanel() {
  const view = new EqView();
  const handles = new EqHandles(view);
  const layer = (name, label) => {
    const box = check({ label, change: (on) => store.setView({ layers: { ...store.view.layers, [name]: on } }) });
    store.on("view current", () => box.set(store.view.layers[name]));
    box.set(store.view.layers[name]);
    return box.node;
  };
  const deciding = make("span", { className: "busy", hidden: true }, "Deciding…");
  store.on("deciding", () => {
    const waits = Boolean(store.deciding) && !store.deciding.quiet;
    deciding.hidden = !waits;
    byId("eq").classList.toggle("waiting", waits);
  });
  const add = button("Add band", { "aria-label": "Add band", onclick: () => addBand(1000, 0) }, icon("plus"), make("span", {}, "Add band"));
  const tools = [deciding, layer("spectrum", "Spectrum"), layer("balance", "Balance"), stageTools("eq", "Equaliser"), add];
  const head = heading("eq-title", "Equaliser", ...tools);
  const plot = make("div", { className: "eq-plot" }, view.node, handles.box);
  const help = make("p", { id: "eq-help", className: "unseen" }, HELP);
  byId("eq").append(head, plot, legend(), bandStrip(), gainSlider(), help);
}
