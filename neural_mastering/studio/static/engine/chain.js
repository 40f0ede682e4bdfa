/* The live chain: stages as the server describes them (studio/sections.py), gliding from one description to the next. */

import { Cascade } from "./cascade.js";

const NOTHING = {};
const LONGEST = 4096; // samples in a render quantum, at most

const middle = new Float64Array(LONGEST);
const difference = new Float64Array(LONGEST);
const middleBefore = new Float64Array(LONGEST);
const differenceBefore = new Float64Array(LONGEST);

/** Sections on left and right, on middle and side, and a gain: every kind of live stage is some of these. */
class Stage {
  constructor(name) {
    this.name = name;
    this.stereo = new Cascade(2);
    this.mid = new Cascade(1);
    this.side = new Cascade(1);
    this.splits = false; // whether middle and side are told apart
    this.next = null; // see wait
    this.isLeaving = false;
  }

  glideTo({ sos = [], mid, side, gain }, glide) {
    this.stereo.glideTo(gain === undefined ? sos : [...sos, [gain, 0, 0, 0, 0]], glide);
    this.mid.glideTo(mid ?? [], glide);
    this.side.glideTo(side ?? [], glide);
    this.splits ||= Boolean(mid || side);
  }

  /** Begin to glide when one quantum has passed, so that the sections know the past of their signals. */
  wait(description) {
    this.next = description;
    this.splits ||= Boolean(description.mid || description.side);
  }

  get isAtRest() {
    return this.next === null && this.stereo.left + this.mid.left + this.side.left === 0;
  }

  process(left, right, count, glide) {
    this.stereo.process(count, left, right);
    if (this.splits) this.processMidSide(left, right, count);
    if (this.next !== null) {
      this.glideTo(this.next, glide);
      this.next = null;
    }
  }

  /** Changes are added, so that what isn't changed keeps its bits. */
  processMidSide(left, right, count) {
    for (let i = 0; i < count; i++) {
      middle[i] = middleBefore[i] = 0.5 * (left[i] + right[i]);
      difference[i] = differenceBefore[i] = 0.5 * (left[i] - right[i]);
    }
    this.mid.process(count, middle);
    this.side.process(count, difference);
    for (let i = 0; i < count; i++) {
      const m = middle[i] - middleBefore[i];
      const s = difference[i] - differenceBefore[i];
      left[i] += m + s;
      right[i] += m - s;
    }
  }
}

export class Chain {
  constructor() {
    this.stages = [];
    this.glide = null;
  }

  /** Become what `sections` describes, gliding (`gliding` of cascade.js) or at once. */
  glideTo(sections, glide = null) {
    this.glide = glide;
    const known = new Map(this.stages.map((stage) => [stage.name, stage]));
    const wanted = sections.stages.map((description) => {
      const stage = known.get(description.name) ?? new Stage(description.name);
      stage.isLeaving = false;
      stage.next = null;
      if (glide && !known.has(description.name)) stage.wait(description);
      else stage.glideTo(description, glide);
      return stage;
    });
    this.stages.forEach((stage, place) => {
      if (wanted.includes(stage) || !glide) return;
      stage.isLeaving = true;
      stage.next = null;
      stage.glideTo(NOTHING, glide);
      wanted.splice(wanted.indexOf(this.stages[place - 1]) + 1, 0, stage);
    });
    this.stages = wanted;
  }

  process(left, right, count) {
    for (const stage of this.stages) stage.process(left, right, count, this.glide);
    if (this.stages.some((stage) => stage.isLeaving && stage.isAtRest)) {
      this.stages = this.stages.filter((stage) => !(stage.isLeaving && stage.isAtRest));
    }
  }
}
