/* How it shall sound: style, intensity, words, references; and how loud. */

import { alertUser, button, byId, clone, iconButton, make } from "./dom.js";
import { number, signed, title, words } from "./format.js";
import { peaksField } from "./peaks_field.js";
import { openProposals } from "./proposals.js";
import { references } from "./references.js";
import { isLeftOut, leaveOut } from "./session.js";
import { bind, decideBy } from "./settings.js";
import { store } from "./store.js";
import { check, choice, heading, more, numberField, segments, slider } from "./widgets.js";

const OWN = "own";
const AUTO = "auto";
const OWN_LUFS = -12;

function styleChoice() {
  const styles = store.catalogue.styles.map(({ name, title: shown, songs }) => ({
    value: name,
    text: title(shown ?? words(name)),
    about: songs ? `Learned from ${songs} songs` : "",
  }));
  const options = [
    { value: AUTO, text: "Songs like this one", about: "The kind is heard from the song itself" },
    ...styles.filter(({ value }) => value !== AUTO),
    { value: "none", text: "Leave the tone alone", about: "Only loudness and peaks are worked on" },
  ];
  const field = choice({
    label: "Compare with",
    options,
    change: (value) =>
      decideBy((settings) => {
        settings.style = value === "none" || value === AUTO ? null : value;
        settings.model = value === "none" ? "none" : settings.model === "none" ? null : settings.model;
      }),
  });
  bind((settings) => field.set(settings.model === "none" ? "none" : (settings.style ?? AUTO)));
  return field.node;
}

const choices = (numbers) => Object.keys(numbers).map((name) => ({ name }));

/** Three names, and a number of one's own. */
function named({ label, list, field, number: own, tell }) {
  const options = list.map(({ name }) => ({ value: name, text: title(name) }));
  const group = segments({ label, options: [...options, { value: OWN, text: "Own" }], change: (value) => set(value === OWN ? own.start : value) });
  const set = (value) => field.change((settings) => (settings[field.key] = value), `${field.key}`);
  const exact = numberField({ ...own, label: own.label, change: set });
  const hint = make("small", { className: "about" });
  const node = make("div", { className: "field block" }, make("span", { className: "label", "aria-hidden": "true" }, label), group.node, exact.node, hint);
  bind((settings) => {
    const value = settings[field.key];
    const isOwn = typeof value === "number";
    group.set(isOwn ? OWN : value);
    exact.node.hidden = !isOwn;
    if (isOwn) exact.set(value);
    hint.textContent = tell(value);
  });
  return node;
}

function intensity() {
  const list = choices(store.catalogue.intensities);
  const about = { gentle: "For a mix that is nearly right", balanced: "For most mixes", strong: "For a mix with clear faults" };
  return named({
    label: "Intensity",
    list,
    field: { key: "intensity", change: decideBy },
    number: { label: "Mistakes of", unit: "dB", low: 0, high: 12, digits: 1, step: 0.5, start: 3 },
    tell: (value) => about[value] ?? `Assumes mistakes of about ${number(value)} dB`,
  });
}

function wordList() {
  const list = make("ul", { className: "words" });
  const add = choice({
    label: "Add a word",
    hideLabel: true,
    options: [],
    change: (word) => word && decideBy((settings) => (settings.words = { ...settings.words, [word]: store.catalogue.word_strength }), null),
  });
  const rows = new Map();
  const known = (word) => store.catalogue.words.find((other) => other.word === word);
  const row = (word) => {
    const field = slider({
      label: word,
      low: known(word)?.low ?? -1,
      high: 1,
      step: 0.05,
      home: 0,
      read: (v) => signed(v, 2),
      change: (v) => decideBy((settings) => (settings.words = { ...settings.words, [word]: v }), `word-${word}`),
      settle: () => store.session.settle(),
    });
    const away = iconButton("close", `Remove the word ${word}`, {
      onclick: () =>
        decideBy((settings) => {
          settings.words = clone(settings.words);
          delete settings.words[word];
        }, null),
    });
    return { node: make("li", {}, field.node, away), set: field.set };
  };
  bind((settings) => {
    const used = Object.keys(settings.words);
    for (const word of rows.keys()) if (!used.includes(word)) rows.delete(word);
    for (const word of used) if (!rows.has(word)) rows.set(word, row(word));
    list.replaceChildren(...used.map((word) => rows.get(word).node));
    for (const word of used) rows.get(word).set(settings.words[word]);
    const left = store.catalogue.words.filter(({ word }) => !used.includes(word));
    add.fill([{ value: "", text: used.length ? "Another word…" : "A word: warm, bright, …" }, ...left.map(({ word }) => ({ value: word, text: word }))]);
    add.set("");
  });
  return make("div", { className: "field block" }, make("span", { className: "label", "aria-hidden": "true" }, "Words"), list, add.node);
}

function loudness() {
  const deliver = (change, key) => store.editSettings(change, key);
  const options = store.catalogue.targets.map(({ name, lufs, about }) => ({
    value: name,
    text: `${title(words(name))}${Number.isFinite(lufs) ? `, ${number(lufs, 0)} LUFS` : ""}`,
    about,
  }));
  const suggested = (target) => ({
    value: null,
    text: target ? `Suggested: ${title(words(target.name ?? ""))}${Number.isFinite(target.lufs) ? `, ${number(target.lufs)} LUFS` : ""}` : "Suggested",
    about: target?.note ?? "",
  });
  const rest = [
    ...options,
    { value: "keep", text: "As loud as the song is" },
    { value: OWN, text: "A number of LUFS" },
  ];
  const target = choice({
    label: "Target",
    options: [suggested(), ...rest],
    change: (value) => deliver((settings) => (settings.target = value === OWN ? OWN_LUFS : value)),
  });
  const lufs = numberField({ label: "Own target", unit: "LUFS", low: store.catalogue.target_range_lufs[0], high: store.catalogue.target_range_lufs[1], step: 0.5, change: (v) => deliver((s) => (s.target = v), "lufs") });
  const ceiling = numberField({ label: "Ceiling", unit: "dBTP", low: -12, high: 0, step: 0.1, change: (v) => deliver((s) => (s.ceiling = v), "ceiling") });
  const own = button("As the target", { className: "quiet", onclick: () => deliver((settings) => (settings.ceiling = null)) });
  const off = check({ label: "Off", about: "No limiter, no ceiling", change: (on) => deliver((settings) => (settings.ceiling = on ? "off" : null)) });
  const density = named({
    label: "Density",
    list: choices(store.catalogue.densities),
    field: { key: "density", change: deliver },
    number: { label: "Density", low: 0, high: 1, digits: 2, step: 0.05, start: 0.5 },
    tell: (value) => ({ gentle: "Keeps the dynamics", balanced: "Clips short peaks a little", dense: "Gives up dynamics for loudness" })[value] ?? "",
  });
  bind((settings) => {
    const isOwn = typeof settings.target === "number";
    target.set(isOwn ? OWN : settings.target);
    lufs.node.hidden = !isOwn;
    if (isOwn) lufs.set(settings.target);
    showCeiling(settings);
    own.hidden = typeof settings.ceiling !== "number";
    off.set(settings.ceiling === "off");
    ceiling.enable(settings.ceiling !== "off");
  });
  const showCeiling = ({ ceiling: own }) => ceiling.set(typeof own === "number" ? own : store.session.decided?.target.ceiling_db);
  store.on("decided current", () => {
    const { settings, decided } = store.session ?? {};
    if (!settings) return;
    target.fill([suggested(settings.target === null ? decided?.target : null), ...rest]);
    target.set(typeof settings.target === "number" ? OWN : settings.target);
    showCeiling(settings);
  });
  return [target.node, lufs.node, make("div", { className: "pair" }, ceiling.node, off.node, own), peaksField(), density];
}

/** A stage of the delivery that can be left out. */
function delivers(name, label, about) {
  const box = check({
    label,
    about,
    change: (on) => store.editSettings((settings) => leaveOut(settings, name, !on)),
  });
  bind((settings) => box.set(!isLeftOut(settings, name)));
  return box.node;
}

const OTHER_TITLES = { dc_removal: "DC removal", eq: "equaliser" };
const stageTitle = (name) => store.catalogue.stages.find((stage) => stage.name === name)?.title ?? OTHER_TITLES[name] ?? words(name);

/** The stages that alone are at work; none named, all are. */
function onlyThese() {
  const boxes = store.catalogue.strengths.map((name) => {
    const change = (on) => store.editSettings((settings) => (settings.only = store.catalogue.strengths.filter((other) => (other === name ? on : settings.only.includes(other)))));
    return { name, ...check({ label: title(stageTitle(name)), change }) };
  });
  bind((settings) => boxes.forEach(({ name, set }) => set(settings.only.includes(name))));
  const about = make("small", { className: "about" }, "None chosen: all are at work.");
  return make("fieldset", { className: "only" }, make("legend", {}, "Only these stages"), about, ...boxes.map(({ node }) => node));
}

function rarely() {
  const models = store.catalogue.models.filter((name) => name !== "none");
  const model = choice({
    label: "Model that sets the tone",
    options: [{ value: null, text: "None: the comparison does" }, ...models.map((name) => ({ value: name, text: name }))],
    change: (value) => decideBy((settings) => (settings.model = value)),
  });
  const strength = slider({
    label: "Whole chain",
    low: 0,
    high: 1,
    step: 0.01,
    home: 1,
    read: (v) => `${Math.round(100 * v)} %`,
    change: (v) => store.editSettings((settings) => (settings.overall_strength = v), "overall"),
    settle: () => store.session.settle(),
  });
  const reduction = numberField({
    label: "Limiter at most",
    unit: "dB",
    low: 0,
    high: 24,
    step: 0.5,
    change: (v) => store.editSettings((settings) => (settings.max_reduction_db = v), "reduction"),
  });
  bind((settings) => {
    reduction.set(settings.max_reduction_db);
    model.set(settings.model === "none" ? null : settings.model);
    strength.set(settings.overall_strength);
  });
  return more(
    "More",
    make("div", { className: "half" },
      reduction.node,
      model.node,
      strength.node,
      delivers("dc_removal", "Remove a DC offset", "A high-pass at 5 Hz where the song has one"),
      delivers("peak_control", "Clip short peaks before the limiter", "By up to 6 dB times the density"),
      onlyThese())
  );
}

export function buildSoundPanel() {
  const three = button("Three proposals", { title: "Gentle, balanced and strong, side by side and blind", onclick: () => openProposals().catch((error) => alertUser(error.message)) });
  byId("sound").append(
    heading("sound-title", "Sound", three),
    make("div", { className: "half" }, styleChoice(), intensity(), wordList(), references()),
    make("div", { className: "half" }, make("h3", {}, "Loudness"), ...loudness(), rarely())
  );
}
