/* One thing to hear: the song as it came, or a chain with the stretch of it that the server has rendered. */

import { Follower } from "./cascade.js";
import { Fade } from "./fade.js";

/** A stretch of rendered samples that takes the place of the live chain, faded at its ends. */
class RenderedRegion {
  constructor(samples, start, channels, fade, gain) {
    this.samples = samples;
    this.start = start;
    this.channels = channels;
    this.frames = samples.length / channels;
    this.fade = Math.max(Math.min(fade, Math.floor(this.frames / 2)), 1);
    this.gain = gain;
  }

  /** How much of the region is heard at a frame of the song, 0 to 1. */
  shareAt(frame) {
    const inside = Math.min(frame - this.start + 1, this.start + this.frames - frame);
    return Math.min(Math.max(inside / this.fade, 0), 1);
  }

  sampleAt(frame, channel) {
    const at = frame - this.start;
    if (at < 0 || at >= this.frames) return 0;
    return this.samples[at * this.channels + Math.min(channel, this.channels - 1)] * this.gain;
  }
}

export class Voice {
  constructor(chain, level, quantum) {
    this.chain = chain; // null: as it came
    this.level = new Fade(level); // 1 while it is heard
    this.matched = new Follower(1);
    this.region = null;
    this.left = new Float64Array(quantum);
    this.right = new Float64Array(quantum);
  }

  setRegion(samples, start, channels, fade, gain) {
    this.region = samples && new RenderedRegion(samples, start, channels, fade, gain);
  }

  /** Add what this voice gives for the quantum to `left` and `right`. */
  process(dryLeft, dryRight, transport, count, left, right) {
    for (let i = 0; i < count; i++) {
      this.left[i] = dryLeft[i];
      this.right[i] = dryRight[i];
    }
    this.chain?.process(this.left, this.right, count);
    const isSilent = this.level.isAtRest && this.level.now === 0;
    for (let i = 0; i < count; i++) {
      const matched = this.matched.next();
      const level = this.level.next();
      this.left[i] *= matched;
      this.right[i] *= matched;
      if (isSilent) continue;
      if (this.region !== null) this.addRegion(transport, i);
      left[i] += level * this.left[i];
      right[i] += level * this.right[i];
    }
  }

  /** Put the region in the chain's place; a jump fades from the one place of it to the other, as the song does. */
  addRegion(transport, i) {
    const { region } = this;
    const share = transport.shares[i];
    const place = transport.places[i];
    const behind = transport.behinds[i];
    const here = share * region.shareAt(place);
    const there = share < 1 ? (1 - share) * region.shareAt(behind) : 0;
    if (here + there === 0) return;
    const rest = 1 - here - there;
    this.left[i] = rest * this.left[i] + here * region.sampleAt(place, 0) + there * region.sampleAt(behind, 0);
    this.right[i] = rest * this.right[i] + here * region.sampleAt(place, 1) + there * region.sampleAt(behind, 1);
  }
}
