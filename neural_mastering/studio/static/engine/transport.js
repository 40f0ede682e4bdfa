/* Where the song is: play, pause, seek, loop, and the wait for samples. One position for all that is heard. */

import { Fade } from "./fade.js";

export class Transport {
  /** `fade` samples for every start, stop and jump; `quantum` the most samples that are taken at once. */
  constructor(store, fade, quantum) {
    this.store = store;
    this.fade = fade;
    this.frame = 0;
    this.isPlaying = false;
    this.isStarved = false;
    this.hasEnded = false;
    this.level = new Fade(0); // of everything: 0 at rest
    this.loop = null;
    this.target = null; // a jump that waits for its samples
    this.behind = 0; // the place that a jump has left, still fading out
    this.behindLeft = 0;
    this.places = new Float64Array(quantum); // of each sample of the quantum
    this.behinds = new Float64Array(quantum);
    this.shares = new Float64Array(quantum); // of the new place, 1 but for jumps
    this.levels = new Float64Array(quantum);
  }

  get isRolling() {
    return this.level.now > 0 || !this.level.isAtRest;
  }

  play() {
    this.isPlaying = true;
    this.hasEnded = false;
    if (this.frame >= this.store.frames) this.frame = 0;
  }

  pause() {
    this.isPlaying = false;
  }

  seek(frame) {
    const place = Math.min(Math.max(frame, 0), this.store.frames);
    this.hasEnded = false;
    if (this.isRolling) this.target = place;
    else this.frame = place;
  }

  setLoop(loop) {
    this.loop = loop && loop.stop > loop.start ? loop : null;
  }

  jump(frame) {
    this.behind = this.frame;
    this.behindLeft = this.fade;
    this.frame = frame;
  }

  /** Get ready for `count` samples; whether anything is to be heard. */
  begin(count) {
    const { store } = this;
    const reach = count + this.fade;
    if (this.target !== null && this.isPlaying && store.has(this.target, this.target + reach)) {
      this.jump(this.target);
      this.target = null;
    }
    const inLoop = this.loop !== null && this.frame < this.loop.stop;
    const end = this.frame + reach;
    let hasAll = store.has(this.frame, inLoop ? Math.min(end, this.loop.stop) : end);
    if (inLoop && end > this.loop.stop) hasAll &&= store.has(this.loop.start, this.loop.start + reach);
    this.isStarved = this.isPlaying && !hasAll;
    const wanted = this.isPlaying && hasAll ? 1 : 0;
    if (this.level.aim !== wanted) this.level.to(wanted, this.fade);
    return this.isRolling;
  }

  /** The places of the next samples, with the fades of jumps. */
  advance(count) {
    for (let i = 0; i < count; i++) {
      this.levels[i] = this.level.next();
      this.places[i] = this.frame;
      this.behinds[i] = this.behind;
      this.shares[i] = this.behindLeft > 0 ? 1 - this.behindLeft / this.fade : 1;
      if (this.behindLeft > 0) {
        this.behindLeft--;
        this.behind++;
      }
      if (this.levels[i] === 0 && this.level.isAtRest) continue; // stopped inside this quantum
      this.frame++;
      if (this.loop !== null && this.frame === this.loop.stop) this.jump(this.loop.start);
    }
    if (this.frame >= this.store.frames && this.isPlaying) {
      this.isPlaying = false;
      this.hasEnded = true;
    }
    if (!this.isRolling) {
      if (this.hasEnded) this.frame = 0;
      if (this.target !== null) this.frame = this.target; // what is paused fades out where it is first
      this.target = null;
    }
  }
}
