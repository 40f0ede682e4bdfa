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
    this.gain = new Follower(gain);
    this.presence = new Fade(0);
    this.level = 0; // gain and presence at this sample
    this.present = 0;
  }

  next() {
    this.present = this.presence.next();
    this.level = this.present * this.gain.next();
  }

  /** How much of the region is there at a frame of the song, 0 to 1. */
  shareAt(frame) {
    const inside = Math.min(frame - this.start + 1, this.start + this.frames - frame);
    return Math.min(Math.max(inside / this.fade, 0), 1);
  }

  sampleAt(frame, channel) {
    const at = frame - this.start;
    if (at < 0 || at >= this.frames) return 0;
    return this.samples[at * this.channels + Math.min(channel, this.channels - 1)] * this.level;
  }
}

export class Voice {
  constructor(chain, level, quantum) {
    this.chain = chain; // null: as it came
    this.level = new Fade(level); // 1 while it is heard
    this.matched = new Follower(1);
    this.regions = []; // the last one is wanted, others are fading out
    this.hasRegion = false;
    this.left = new Float64Array(quantum);
    this.right = new Float64Array(quantum);
  }

  /** Another region, or none for `samples` null; the old one fades out in `over` samples. */
  setRegion(samples, start, channels, fade, gain, over) {
    for (const region of this.regions) region.presence.to(0, over);
    this.hasRegion = samples !== null;
    if (!samples) return;
    const region = new RenderedRegion(samples, start, channels, fade, gain);
    region.presence.to(1, over);
    this.regions.push(region);
  }

  setRegionGain(gain, glide) {
    if (this.hasRegion) this.regions.at(-1).gain.to(gain, glide);
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
      if (this.regions.length > 0) this.addRegions(transport, i);
      if (isSilent) continue;
      left[i] += level * this.left[i];
      right[i] += level * this.right[i];
    }
    if (this.regions.length > 0) this.forgetRegions();
  }

  /** Put regions in the chain's place; a jump fades from the one place of them to the other, as the song does. */
  addRegions(transport, i) {
    const share = transport.shares[i];
    const place = transport.places[i];
    const behind = transport.behinds[i];
    let rest = 1;
    let l = 0;
    let r = 0;
    for (const region of this.regions) {
      region.next();
      const here = share * region.shareAt(place);
      const there = share < 1 ? (1 - share) * region.shareAt(behind) : 0;
      if (here + there === 0) continue;
      rest -= (here + there) * region.present;
      l += here * region.sampleAt(place, 0) + there * region.sampleAt(behind, 0);
      r += here * region.sampleAt(place, 1) + there * region.sampleAt(behind, 1);
    }
    this.left[i] = rest * this.left[i] + l;
    this.right[i] = rest * this.right[i] + r;
  }

  forgetRegions() {
    const isGone = ({ presence }) => presence.isAtRest && presence.now === 0;
    if (this.regions.some(isGone)) this.regions = this.regions.filter((region) => !isGone(region));
  }
}
