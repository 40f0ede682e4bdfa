/* The audio thread of the studio. Everything that can be heard runs at once on one position; a switch moves gains. */

import { gliding } from "./cascade.js";
import { Chain } from "./chain.js";
import { ChunkStore } from "./chunk_store.js";
import { Transport } from "./transport.js";
import { Voice } from "./voice.js";

const QUANTUM = 4096; // more than any browser renders at once
const FADE_S = 0.005; // of starts, stops, jumps, switches and the ends of regions
const GLIDE_S = 0.002; // time constant of coefficients and matched gains, see cascade.js
const REPORT_S = 0.02;

class StudioProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions: { frames, channels, chunkFrames } }) {
    super();
    this.fade = Math.round(FADE_S * sampleRate);
    this.glide = gliding(GLIDE_S, sampleRate);
    this.channels = channels;
    this.store = new ChunkStore(frames, channels, chunkFrames);
    this.transport = new Transport(this.store, this.fade, QUANTUM);
    this.before = new Voice(null, 1, QUANTUM);
    this.chains = [new Voice(new Chain(), 0, QUANTUM)]; // the master, then the alternatives
    this.voices = [this.before, ...this.chains];
    this.left = new Float64Array(QUANTUM);
    this.right = new Float64Array(QUANTUM);
    this.sumLeft = new Float64Array(QUANTUM);
    this.sumRight = new Float64Array(QUANTUM);
    this.sinceReport = Infinity;
    this.applied = [];
    this.seeks = 0;
    this.wasStarved = false;
    this.isAlive = true;
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey(message) {
    const { transport } = this;
    switch (message.type) {
      case "chunk":
        return this.store.put(message.index, message.samples);
      case "drop":
        return this.store.drop(message.indices);
      case "play":
        return transport.play();
      case "pause":
        return transport.pause();
      case "seek":
        this.seeks = message.id;
        return transport.seek(message.frame);
      case "loop":
        return transport.setLoop(message.loop);
      case "sections":
        return this.setSections(message);
      case "live":
        message.port.onmessage = ({ data }) => this.obey(data);
        return undefined;
      case "alternatives":
        return this.setAlternatives(message.count);
      case "matched":
        return this.setMatched(message.gains);
      case "listen":
        return this.listen(message.voice);
      case "region":
        return this.setRegion(message);
      case "regionGain":
        return this.chains[message.voice]?.setRegionGain(message.gain, this.whileHeard(this.glide));
      case "ping":
        return this.port.postMessage({ type: "pong", id: message.id });
      case "end":
        this.isAlive = false;
        return undefined;
      default:
        throw new Error(`unknown message ${message.type}`);
    }
  }

  /** How a change is made: at once where nothing is heard. */
  whileHeard(gliding) {
    return this.transport.isRolling ? gliding : 0;
  }

  setRegion({ voice, samples, start, gain }) {
    this.chains[voice]?.setRegion(samples, start, this.channels, this.fade, gain, this.whileHeard(this.fade));
  }

  setSections({ voice, sections, id, endsRegion }) {
    if (endsRegion) this.setRegion({ voice, samples: null });
    this.chains[voice]?.chain.glideTo(sections, this.whileHeard(this.glide));
    this.applied.push(id);
  }

  setAlternatives(count) {
    this.chains.length = Math.min(this.chains.length, count + 1);
    while (this.chains.length < count + 1) this.chains.push(new Voice(new Chain(), 0, QUANTUM));
    this.voices = [this.before, ...this.chains];
    if (this.voices.every((voice) => voice.level.aim === 0)) this.listen(0); // what was heard has gone
  }

  setMatched(gains) {
    this.voices.forEach((voice, i) => voice.matched.to(gains[i] ?? 1, this.whileHeard(this.glide)));
  }

  /** Hear the song as it came (−1), the chain (0) or an alternative (1 …), from the next quantum on. */
  listen(which) {
    this.voices.forEach((voice, i) => voice.level.to(i === which + 1 ? 1 : 0, this.whileHeard(this.fade)));
  }

  process(_, [[left, right]]) {
    const count = left.length;
    const { transport } = this;
    if (transport.begin(count)) {
      transport.advance(count);
      this.render(count);
      for (let i = 0; i < count; i++) {
        left[i] = this.sumLeft[i] * transport.levels[i];
        right[i] = this.sumRight[i] * transport.levels[i];
      }
    }
    this.report(count);
    return this.isAlive;
  }

  render(count) {
    const { transport, store } = this;
    for (let i = 0; i < count; i++) {
      const share = transport.shares[i];
      store.read(transport.places[i]);
      let l = store.left;
      let r = store.right;
      if (share < 1) {
        store.read(transport.behinds[i]);
        l = share * l + (1 - share) * store.left;
        r = share * r + (1 - share) * store.right;
      }
      this.left[i] = l;
      this.right[i] = r;
      this.sumLeft[i] = this.sumRight[i] = 0;
    }
    for (const voice of this.voices) {
      voice.process(this.left, this.right, transport, count, this.sumLeft, this.sumRight);
    }
  }

  /** Tell the page where the song is, and which sections this quantum was the first to use. */
  report(count) {
    const { transport } = this;
    for (const id of this.applied) this.port.postMessage({ type: "applied", id, time: currentTime, wallMs: Date.now() });
    this.applied.length = 0;
    if (transport.isStarved !== this.wasStarved) {
      this.wasStarved = transport.isStarved;
      this.port.postMessage({ type: "starved", isStarved: transport.isStarved });
    }
    if (transport.hasEnded && !transport.isRolling) {
      transport.hasEnded = false;
      this.port.postMessage({ type: "ended" });
    }
    this.sinceReport += count;
    if (this.sinceReport < REPORT_S * sampleRate) return;
    this.sinceReport = 0;
    const { frame, target, isPlaying, isRolling } = transport;
    this.port.postMessage({ type: "position", frame: target ?? frame, time: currentTime + count / sampleRate, isPlaying, isRolling, seeks: this.seeks });
  }
}

registerProcessor("studio", StudioProcessor);
