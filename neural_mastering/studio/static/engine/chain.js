/* The live chain: stages as the server describes them (studio/sections.py), gliding from one description to the next. */

import { Cascade, Glide } from "./cascade.js";

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
    this.gain = new Glide(1);
    this.splits = false; // whether middle and side are told apart
    this.next = null; // waits for the first block to pass, so that the sections know their past
    this.isLeaving = false;
  }

  glideTo(description, samples) {
    this.stereo.glideTo(description.sos ?? [], samples);
    this.mid.glideTo(description.mid ?? [], samples);
    this.side.glideTo(description.side ?? [], samples);
    this.gain.to(description.gain ?? 1, samples);
    this.splits ||= Boolean(description.mid || description.side);
  }

  get isAtRest() {
    return this.next === null && this.gain.isAtRest && this.stereo.left + this.mid.left + this.side.left === 0;
  }

  process(left, right, count, samples) {
    this.stereo.process(count, left, right);
    if (this.splits) this.processMidSide(left, right, count);
    if (!this.gain.isAtRest || this.gain.now !== 1) {
      for (let i = 0; i < count; i++) {
        const gain = this.gain.next();
        left[i] *= gain;
        right[i] *= gain;
      }
    }
    if (this.next !== null) {
      this.glideTo(this.next, samples);
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
    this.glide = 0;
  }

  /** Become what `sections` describes, after so many samples; 0 for at once. */
  glideTo(sections, samples) {
    this.glide = samples;
    const known = new Map(this.stages.map((stage) => [stage.name, stage]));
    const wanted = sections.stages.map((description) => {
      const stage = known.get(description.name) ?? new Stage(description.name);
      stage.isLeaving = false;
      if (samples > 0 && !known.has(description.name)) {
        stage.next = description;
        stage.splits ||= Boolean(description.mid || description.side);
      } else {
        stage.next = null;
        stage.glideTo(description, samples);
      }
      return stage;
    });
    this.stages.forEach((stage, place) => {
      if (wanted.includes(stage) || samples <= 0) return;
      stage.isLeaving = true;
      stage.next = null;
      stage.glideTo(NOTHING, samples);
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
