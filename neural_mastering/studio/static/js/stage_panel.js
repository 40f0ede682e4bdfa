/* The chain after the equaliser: a card for each stage, with its amount, its controls and what it takes off. */

import { canvas, fillBetween, line } from "./canvas.js";
import { byId, clone, iconButton, make, same } from "./dom.js";
import { number, signed, title as capital } from "./format.js";
import { loudnessChange } from "./matched.js";
import { plrText } from "./peaks_field.js";
import { isLeftOut } from "./session.js";
import { sound } from "./sound.js";
import { stageTools } from "./stage_tools.js";
import { store } from "./store.js";
import { colour, shade } from "./theme.js";
import { choice, heading, more, numberField, slider } from "./widgets.js";

const LEAST_RANGE_DB = 3;
const INPUT_LUFS = "input_lufs"; // as in controls/catalogue.py

/** The line of gain reduction of the part that was rendered last. */
function reductionLine(name) {
  const text = make("small", {});
  const { node, redraw } = canvas("reduction", (pen, width, height) => {
    const meter = sound.meters?.[name];
    if (!meter?.db.length) return;
    const most = Math.max(LEAST_RANGE_DB, ...meter.db.map(Math.abs));
    const points = meter.db.map((db, i) => [(width * i) / (meter.db.length - 1 || 1), (height * Math.abs(db)) / most]);
    fillBetween(pen, points, points.map(([x]) => [x, 0]), shade("--accent", 0.2));
    line(pen, points, colour("--accent"), 1.4);
  });
  const box = make("div", { className: "reduction-box" }, node, text);
  const update = () => {
    const meter = sound.meters?.[name];
    box.hidden = !meter?.db.length;
    if (box.hidden) return;
    const most = Math.max(...meter.db.map(Math.abs));
    text.textContent = most < 0.05 ? "takes off nothing in the loop" : `takes off up to ${number(most)} dB in the loop`;
    redraw();
  };
  sound.on("meters", update);
  store.on("current", update);
  update();
  return box;
}

function amount(name) {
  const field = slider({
    label: "Amount",
    low: 0,
    high: 1,
    step: 0.01,
    home: 1,
    read: (v) => `${Math.round(100 * v)} %`,
    change: (v) => store.editSettings((settings) => (settings.strength = { ...settings.strength, [name]: v }), `amount-${name}`),
    settle: () => store.session.settle(),
  });
  return { node: field.node, update: () => field.set(store.session.settings.strength[name] ?? 1) };
}

/** What a control is called among all of its stage: "gain" may be that of the middle or of the side. */
function labelOf({ key, title }, index) {
  const part = /^(mid|side)_/.exec(key)?.[1];
  return capital(part && !title.startsWith(part) ? `${part} ${title}` : title) + (index === null ? "" : ` ${index + 1}`);
}

/** One control of a stage; a stage in bands has one for each band. */
function control(stage, about, index = null) {
  const percent = about.unit === "%";
  const scale = percent ? 100 : 1;
  const bound = (given) => {
    const one = Array.isArray(given) ? given[index ?? 0] : given;
    return one === undefined || one === null ? undefined : one * scale;
  };
  const read = (values) => (index === null ? values[about.key] : values[about.key][index]);
  const write = (value) =>
    store.editControls((controls) => {
      const values = controls.stages[stage];
      if (index === null) values[about.key] = value;
      else values[about.key] = values[about.key].map((old, i) => (i === index ? value : old));
    }, `${stage}-${about.key}-${index}`);
  const field = numberField({
    label: labelOf(about, index),
    unit: about.unit,
    low: bound(about.low),
    high: bound(about.high),
    digits: about.digits ?? 1,
    log: about.scale === "log",
    plus: about.signed ?? false,
    change: (v) => write(v / scale),
  });
  return { node: field.node, update: (values) => field.set(read(values) * scale) };
}

function controlsOf(stage, values) {
  return stage.controls
    .filter(({ key }) => values[key] !== undefined)
    .flatMap((about) =>
      Array.isArray(values[about.key]) ? values[about.key].map((_, i) => control(stage.name, about, i)) : [control(stage.name, about)]
    );
}

const summaryOf = (stage, values) =>
  bandCount(values) ||
  stage.controls
    .filter(({ key }) => typeof values[key] === "number")
    .slice(0, 3)
    .map(({ title, key, unit, digits }) => {
      const shown = (unit === "dB" ? signed : number)(values[key] * (unit === "%" ? 100 : 1), digits ?? 1);
      return `${title} ${shown}${unit ? `\u00a0${unit}` : ""}`;
    })
    .join(" · ");

const bandCount = (values) => {
  const lists = Object.values(values).filter(Array.isArray);
  const count = Math.max(0, ...lists.map((list) => list.length));
  return lists.length ? `in ${count} ${count === 1 ? "band" : "bands"}` : "";
};

function card(stage, values) {
  const parts = controlsOf(stage, values);
  const strength = amount(stage.name);
  const about = make("p", { className: "hint" });
  const away = iconButton("close", `Remove the ${stage.title}`, { onclick: () => store.editControls(({ stages }) => delete stages[stage.name]) });
  const head = make("div", { className: "card-head" }, make("h3", {}, capital(stage.title)), stageTools(stage.name, capital(stage.title)), away);
  const fields = make("div", { className: "fields" }, ...parts.map(({ node }) => node));
  const node = make("article", { className: "card", "aria-label": stage.title }, head, about, strength.node, reductionLine(stage.name), more("Controls", fields));
  const update = (now) => {
    about.textContent = summaryOf(stage, now);
    node.classList.toggle("off", isLeftOut(store.session.settings, stage.name));
    strength.update();
    for (const part of parts) part.update(now);
  };
  return { node, update, shape: shapeOf(values) };
}

const shapeOf = (values) => Object.entries(values).map(([key, value]) => [key, Array.isArray(value) ? value.length : 0]);

function limiterCard() {
  const head = make("div", { className: "card-head" }, make("h3", {}, "Limiter"), stageTools("limiter", "Limiter"));
  const about = make("p", { className: "hint" });
  const node = make("article", { className: "card last", "aria-label": "limiter" }, head, about, reductionLine("limiter"));
  const update = () => {
    const { decided, settings } = store.session;
    const { forecast, target } = decided ?? {};
    const ceiling = typeof settings.ceiling === "number" ? settings.ceiling : target?.ceiling_db;
    const parts = [];
    if (Number.isFinite(forecast?.gain_db)) parts.push(`gain ${signed(forecast.gain_db)}\u00a0dB`);
    if (Number.isFinite(ceiling)) parts.push(`ceiling ${number(ceiling)}\u00a0dBTP`);
    if (Number.isFinite(forecast?.lufs)) parts.push(`about ${number(forecast.lufs)}\u00a0LUFS`);
    const peaks = plrText(decided?.plr);
    if (peaks) parts.push(`peaks ${peaks}`);
    parts.push(`takes off at most ${number(settings.max_reduction_db)}\u00a0dB`);
    about.textContent = parts.join(" · ");
    node.classList.toggle("off", isLeftOut(settings, "limiter"));
  };
  return { node, update };
}

/** Values of a new stage; one that hears levels is told the loudness of the song where it stands. */
function beginnings(stage) {
  const values = clone(stage.template);
  if (values[INPUT_LUFS] !== null) return values;
  const { song, sections } = store;
  const change = sections ? loudnessChange(song.spectrum, sections.stages, sections.sample_rate) : 0;
  return { ...values, [INPUT_LUFS]: song.readings.lufs + change };
}

export function buildStagePanel() {
  const grid = make("div", { className: "cards" });
  const last = limiterCard();
  const cards = new Map();
  const add = choice({
    label: "Add a stage",
    hideLabel: true,
    options: [],
    change: (name) => {
      const stage = store.catalogue.stages.find((other) => other.name === name);
      if (!stage) return;
      const order = store.catalogue.stages.map((other) => other.name);
      store.editControls((controls) => {
        const stages = { ...controls.stages, [name]: beginnings(stage) };
        controls.stages = Object.fromEntries(Object.entries(stages).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
      });
    },
  });
  const none = make("p", { className: "hint" }, "Only the equaliser and the limiter are at work. Add a stage, or let a model with a full chain decide.");
  byId("stages").append(heading("stages-title", "Chain", add.node), none, grid);
  const update = () => {
    const { session } = store;
    if (!session?.used) return;
    const { stages } = session.used;
    for (const name of cards.keys()) if (!stages[name]) cards.delete(name);
    for (const stage of store.catalogue.stages) {
      const values = stages[stage.name];
      if (values && !(cards.has(stage.name) && same(cards.get(stage.name).shape, shapeOf(values)))) cards.set(stage.name, card(stage, values));
    }
    const used = store.catalogue.stages.filter(({ name }) => stages[name]);
    const nodes = [...used.map(({ name }) => cards.get(name).node), last.node];
    if (nodes.length !== grid.children.length || nodes.some((node, i) => node !== grid.children[i])) grid.replaceChildren(...nodes);
    for (const { name } of used) cards.get(name).update(stages[name]);
    last.update();
    none.hidden = used.length > 0;
    const left = store.catalogue.stages.filter(({ name }) => !stages[name]);
    add.fill([{ value: "", text: "Add a stage…" }, ...left.map(({ name, title }) => ({ value: name, text: capital(title) }))]);
    add.set("");
  };
  store.on("session decided current", update);
}
