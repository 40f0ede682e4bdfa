/* What a person decided for one song: settings, controls edited by hand, snapshots, and the way back. */

import { clone, same } from "./dom.js";

export const SLOTS = ["A", "B", "C"];
const SOUND = ["style", "references", "match", "words", "intensity", "model"];
const DEEPEST = 200;
const MERGE_MS = 900;

/** What the tone hangs on; the other settings only deliver. */
export const soundKey = (settings) => JSON.stringify(SOUND.map((key) => settings[key]));

/** Whether a stage is left out: skipped, or not among the only ones. */
export const isLeftOut = ({ skip, only }, name) => skip.includes(name) || (only.length > 0 && !only.includes(name));

/** Leaves a stage out, or has it again. */
export function leaveOut(settings, name, out) {
  const others = settings.skip.filter((other) => other !== name);
  settings.skip = out ? [...others, name] : others;
  if (!out && isLeftOut(settings, name)) settings.only = [...settings.only, name];
}

export class Session {
  constructor(defaults, saved = {}) {
    this.settings = { ...clone(defaults), ...clone(saved.settings ?? {}) };
    this.controls = clone(saved.controls ?? null);
    this.slots = clone(saved.snapshots ?? {});
    this.slot = SLOTS.includes(saved.slot) ? saved.slot : "A";
    this.past = clone(saved.undo ?? []);
    this.future = [];
    this.mergeKey = null;
    this.mergedAt = 0;
    this.decided = null; // the server's answer for these settings
    this.decidedFor = null; // those settings
  }

  /** The controls in use: edited by hand, else as decided; null before the first decision. */
  get used() {
    return this.controls ?? this.decided?.controls ?? null;
  }

  get state() {
    return { settings: clone(this.settings), controls: clone(this.controls) };
  }

  /** Changes settings; a decision that hangs on them replaces what was edited by hand. */
  editSettings(change, key = null) {
    const before = soundKey(this.settings);
    this.remember(key);
    change(this.settings);
    const discards = before !== soundKey(this.settings) && this.controls !== null;
    if (discards) this.controls = null;
    return discards;
  }

  /** Changes the controls by hand, beginning with those that were decided. */
  editControls(change, key = null) {
    if (this.used === null) return;
    this.remember(key);
    this.controls = clone(this.used);
    change(this.controls);
  }

  /** Steps with the same key within a moment are one step back. */
  remember(key) {
    const now = performance.now();
    const merged = key !== null && key === this.mergeKey && now - this.mergedAt < MERGE_MS;
    this.mergeKey = key;
    this.mergedAt = now;
    if (merged) return;
    this.past.push(this.state);
    if (this.past.length > DEEPEST) this.past.shift();
    this.future = [];
  }

  /** The next step is a step of its own, whatever its key. */
  settle() {
    this.mergeKey = null;
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    this.settle();
    while (from.length) {
      const state = from.pop();
      if (same(state, this.state)) continue;
      to.push(this.state);
      this.apply(state);
      return true;
    }
    return false;
  }

  /** Goes to a snapshot: what is there now stays in the one that is left; an empty one begins as a copy. */
  goToSlot(name) {
    if (name === this.slot) return false;
    this.remember(null);
    this.slots[this.slot] = this.state;
    this.slot = name;
    if (this.slots[name]) this.apply(this.slots[name]);
    else this.slots[name] = this.state;
    return true;
  }

  apply(state) {
    this.settings = { ...this.settings, ...clone(state.settings) };
    this.controls = clone(state.controls);
  }

  toJSON() {
    const { settings, controls, slots, slot, past } = this;
    return { settings, controls, snapshots: { ...slots, [slot]: this.state }, undo: past.slice(-30) };
  }
}
