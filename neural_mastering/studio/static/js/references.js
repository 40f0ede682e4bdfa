/* Songs that are followed: which, by what weight, and how far. */

import { referenceId } from "./corridor.js";
import { announce, iconButton, make } from "./dom.js";
import { title } from "./format.js";
import { dropZone, filePicker } from "./file_picker.js";
import { bind, decideBy } from "./settings.js";
import { addFiles } from "./song_data.js";
import { store } from "./store.js";
import { numberField, slider } from "./widgets.js";

const weightOf = (reference) => Number(reference.split("=")[1] ?? 1);

export function references() {
  const list = make("ul", { className: "references" });
  const take = async (files) => {
    const ids = await addFiles(files, "reference");
    if (!ids.length) return;
    decideBy((settings) => (settings.references = [...settings.references, ...ids.filter((id) => !settings.references.map(referenceId).includes(id))]), null);
    announce(`${ids.length === 1 ? "A reference is" : "References are"} followed.`);
  };
  const away = (id) =>
    decideBy((settings) => {
      settings.references = settings.references.filter((other) => referenceId(other) !== id);
      if (!settings.references.length) settings.match = null;
    }, null);
  const weigh = (id, weight) =>
    decideBy((settings) => {
      settings.references = settings.references.map((other) => (referenceId(other) !== id ? other : weight === 1 ? id : `${id}=${weight}`));
    }, `weight-${id}`);
  const box = make("div", { className: "drop" }, make("span", {}, "Drop a song that you like, or "), filePicker("choose one", { className: "link", take }));
  dropZone(box, take);
  const match = ["tone", "width", "dynamics", "loudness"].map((respect) => {
    const home = respect === "loudness" ? 1 : 0.6;
    const field = slider({
      label: title(respect),
      low: 0,
      high: 1,
      step: 0.05,
      home,
      read: (v) => `${Math.round(100 * v)} %`,
      change: (v) =>
        decideBy((settings) => {
          const base = { tone: 0.6, width: 0.6, dynamics: 0.6, loudness: 1 };
          settings.match = { ...base, ...settings.match, [respect]: v };
        }, `match-${respect}`),
      settle: () => store.session.settle(),
    });
    return { ...field, respect, home };
  });
  const amounts = make("div", { className: "match" }, make("span", { className: "label" }, "How far it is followed"), ...match.map(({ node }) => node));
  const rows = new Map();
  const row = (id) => {
    const name = store.songs.get(id)?.name ?? id;
    const weight = numberField({ label: "Weight", low: 0.1, high: 10, digits: 1, step: 0.5, change: (value) => weigh(id, value) });
    weight.input.setAttribute("aria-label", `Weight of ${name}`);
    const close = iconButton("close", `Don't follow ${name}`, { onclick: () => away(id) });
    return { node: make("li", {}, make("span", { className: "name", title: name }, name), weight.node, close), weight, name };
  };
  bind((settings) => {
    const ids = settings.references.map(referenceId);
    for (const [id, { name }] of rows) if (!ids.includes(id) || name !== (store.songs.get(id)?.name ?? id)) rows.delete(id);
    for (const id of ids) if (!rows.has(id)) rows.set(id, row(id));
    const nodes = ids.map((id) => rows.get(id).node);
    if (nodes.length !== list.children.length || nodes.some((node, i) => node !== list.children[i])) list.replaceChildren(...nodes);
    settings.references.forEach((reference, i) => {
      const { weight } = rows.get(ids[i]);
      weight.set(weightOf(reference));
      weight.node.hidden = ids.length < 2; // one alone has all the weight
    });
    amounts.hidden = settings.references.length === 0;
    for (const { respect, home, set } of match) set(settings.match?.[respect] ?? home);
  });
  return make("div", { className: "field block" }, make("span", { className: "label" }, "References"), list, box, amounts);
}
