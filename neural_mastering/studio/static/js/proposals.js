/* Three proposals side by side, seen or blind: the same loudness, shuffled names, and one is taken. */

import { post, work } from "./api.js";
import { canvas, fillBetween, line } from "./canvas.js";
import { announce, button, clone, iconButton, make } from "./dom.js";
import { rememberDecision } from "./decide.js";
import { frequencies, frequencyShare } from "./eq_scale.js";
import { signed, title } from "./format.js";
import { weakened } from "./live.js";
import { levelDb } from "./response.js";
import { sound } from "./sound.js";
import { store } from "./store.js";
import { colour, shade } from "./theme.js";
import { check } from "./widgets.js";

const NAMES = ["gentle", "balanced", "strong"];
const LETTERS = ["X", "Y", "Z"];

function shuffled(list) {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}

/** A small picture of one curve, all on one scale. */
function curvePicture(sections, rate, most) {
  return canvas("mini", (pen, width, height) => {
    const hz = frequencies(width, 2);
    const y = (db) => height * (0.5 - (0.45 * db) / most);
    const points = Array.from(levelDb(sections, hz, rate), (db, i) => [width * frequencyShare(hz[i]), y(db)]);
    const zero = points.map(([x]) => [x, y(0)]);
    line(pen, zero, shade("--muted", 0.7), 1);
    fillBetween(pen, points, zero, shade("--accent", 0.16));
    line(pen, points, colour("--accent"), 2);
  });
}

const eqOf = (sections) => sections.stages.find(({ name }) => name === "eq")?.sos ?? [];

async function ask(signal, progress) {
  const { session, song, currentId } = store;
  const settings = clone(session.settings);
  const found = await work(`/songs/${currentId}/proposals`, settings, { signal, progress });
  return Promise.all(
    NAMES.filter((name) => found[name]).map(async (name) => {
      const decided = found[name];
      const own = { ...settings, intensity: name };
      rememberDecision(currentId, own, decided);
      const sections = await post("/sections", { controls: weakened(decided.controls, own), sample_rate: song.sample_rate });
      return { name, decided, sections };
    })
  );
}

class Comparison {
  constructor(dialog, proposals) {
    this.dialog = dialog;
    this.proposals = proposals;
    this.blind = false;
    this.order = proposals.map((_, i) => i);
    this.heard = null;
    this.grid = make("div", { className: "proposals", role: "radiogroup", "aria-label": "Proposals" });
    this.status = make("p", { className: "hint", role: "status" });
    const blind = check({ label: "Blind: names and curves hidden, order shuffled", change: (on) => this.setBlind(on) });
    this.play = button("Play", { onclick: () => this.toggle() });
    this.node = make("div", {}, make("div", { className: "actions" }, this.play, blind.node), this.grid, this.status);
    this.draw();
  }

  setBlind(on) {
    this.blind = on;
    this.order = on ? shuffled(this.order) : this.proposals.map((_, i) => i);
    this.status.textContent = on ? "Listen to each, then take the one you like." : "";
    this.draw();
    this.hear(0);
  }

  draw() {
    const rate = store.song.sample_rate;
    const levels = this.proposals.flatMap(({ sections }) => [...levelDb(eqOf(sections), frequencies(200), rate)]);
    const most = Math.max(3, ...levels.map(Math.abs));
    this.cards = this.order.map((index, place) => {
      const { name, decided, sections } = this.proposals[index];
      const shown = this.blind ? LETTERS[place] : title(name);
      const hear = make("button", { type: "button", className: "hear", role: "radio", "aria-checked": false, onclick: () => this.hear(place) }, make("kbd", {}, String(place + 1)), ` ${shown}`);
      const take = button(`Take ${shown}`, { onclick: () => this.take(index) });
      const about = make("p", { className: "hint" }, describe(decided, levelDb(eqOf(sections), frequencies(200), rate)));
      const picture = this.blind ? make("div", { className: "mini hidden-curve" }, "?") : curvePicture(eqOf(sections), rate, most).node;
      return make("div", { className: "card proposal" }, hear, picture, this.blind ? null : about, take);
    });
    this.grid.replaceChildren(...this.cards);
    this.mark();
  }

  async toggle() {
    if (!sound.playing && this.heard === null) this.hear(0);
    await sound.toggle();
    this.play.textContent = sound.playing ? "Pause" : "Play";
  }

  async hear(place) {
    this.heard = place;
    this.mark();
    const engine = await sound.ready();
    if (!engine) return;
    const kept = store.sections;
    store.sections = this.proposals[this.order[place]].sections;
    engine.setSections(store.sections);
    sound.match();
    engine.listen("after");
    store.sections = kept;
  }

  mark() {
    this.cards?.forEach((card, place) => {
      card.classList.toggle("heard", place === this.heard);
      card.querySelector(".hear").setAttribute("aria-checked", place === this.heard);
    });
  }

  take(index) {
    const { name } = this.proposals[index];
    store.editSettings((settings) => (settings.intensity = name), null);
    announce(`Taken: ${name}.`);
    this.dialog.close();
    if (this.blind) this.dialog.dispatchEvent(new CustomEvent("revealed", { detail: name }));
  }
}

function describe({ controls, forecast }, curve) {
  const moved = controls.eq.filter(({ gain_db }) => Math.abs(gain_db) >= 0.05).length;
  const largest = curve.reduce((most, db) => (Math.abs(db) > Math.abs(most) ? db : most), 0);
  const parts = [`${moved} ${moved === 1 ? "band" : "bands"}, at most ${signed(largest)}\u00a0dB`];
  if (Number.isFinite(forecast?.gain_db)) parts.push(`gain ${signed(forecast.gain_db)}\u00a0dB`);
  return parts.join(" · ");
}

/** Opens the dialogue; it works the proposals out while it is open and cancels when it is closed. */
export async function openProposals() {
  if (!store.ready) return;
  const abort = new AbortController();
  const content = make("div", { className: "dialog-body" }, make("p", {}, "Working out three proposals…"), make("progress", {}));
  const dialog = make("dialog", { className: "dialog", "aria-labelledby": "proposals-title" });
  const close = iconButton("close", "Close", { onclick: () => dialog.close() });
  dialog.append(make("div", { className: "panel-head" }, make("h2", { id: "proposals-title" }, "Three proposals"), close), content);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    abort.abort();
    dialog.remove();
    if (store.sections) sound.engine?.setSections(store.sections);
    sound.listen(sound.source);
    sound.match();
  });
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.showModal();
  try {
    const comparison = new Comparison(dialog, await ask(abort.signal, () => {}));
    dialog.addEventListener("keydown", (event) => {
      if (/^[1-3]$/.test(event.key)) comparison.hear(Number(event.key) - 1);
    });
    dialog.addEventListener("revealed", (event) => announce(`It was the ${event.detail} proposal.`));
    content.replaceChildren(comparison.node);
    comparison.play.focus();
  } catch (error) {
    if (error.name !== "AbortError") content.replaceChildren(make("p", { className: "alert bad" }, error.message));
  }
}
