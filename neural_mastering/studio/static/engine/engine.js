/* Plays a song before and after, live: the page's side of the audio thread (processor.js).

   const engine = new Engine(new AudioContext({ sampleRate: song.sample_rate }), song, fetchPcm);
   await engine.load();
   engine.setSections(await post("/sections", { controls, sample_rate }));
   engine.on("position", ({ seconds, isPlaying }) => …);   also: ended, starved, applied, error
   engine.play(); engine.listen("after"); engine.setLoop(12.5, 20); */

import { CHUNK_FRAMES, ChunkLoader } from "./chunk_loader.js";

const SHORTEST_LOOP_S = 0.05;
const MARGIN_S = 0.05; // a region reaches this far beyond the loop, so that its ends fade where nobody hears it
const gainOf = (db) => 10 ** (db / 20);

export class Engine {
  /** `song` has sample_rate, channels and frames (or seconds); `fetchPcm(start, frames, signal)` gives interleaved
      float32. The context must run at the song's rate: nothing is resampled. */
  constructor(context, song, fetchPcm) {
    if (context.sampleRate !== song.sample_rate) {
      throw new Error(`the audio context runs at ${context.sampleRate} Hz, the song at ${song.sample_rate} Hz`);
    }
    this.context = context;
    this.rate = song.sample_rate;
    this.channels = song.channels;
    this.frames = song.frames ?? Math.round(song.seconds * song.sample_rate);
    this.listeners = new Map();
    this.loop = null;
    this.heard = "before";
    this.isPlaying = false;
    this.isRolling = false;
    this.at = { frame: 0, time: 0 };
    this.seeks = 0; // what the audio thread says of the time before the last one is old
    this.gains = [1, 1];
    this.regions = new Map(); // what each voice has got from the server
    this.sections = new Map(); // and as its chain, as text
    this.lastId = 0;
    this.pings = new Map();
    this.loader = new ChunkLoader(this.frames, this.channels, fetchPcm, {
      deliver: (index, samples) => this.post({ type: "chunk", index, samples }, [samples.buffer]),
      drop: (indices) => this.post({ type: "drop", indices }),
      failed: (error) => this.tell("error", error),
    });
    this.output = context.createGain();
    this.output.connect(context.destination);
  }

  /** Start the audio thread and fetch the beginning. */
  async load() {
    await this.context.audioWorklet.addModule(new URL("processor.js", import.meta.url));
    this.node = new AudioWorkletNode(this.context, "studio", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { frames: this.frames, channels: this.channels, chunkFrames: CHUNK_FRAMES },
    });
    this.node.port.onmessage = ({ data }) => this.hear(data);
    this.node.onprocessorerror = () => this.tell("error", new Error("the audio thread has stopped: load the page again"));
    this.node.connect(this.output);
    this.loader.want([0]);
    await this.settled();
  }

  /* what is heard */

  async play() {
    this.isPlaying = true;
    this.loader.want([this.at.frame], this.loop);
    this.post({ type: "play" });
    if (this.context.state === "suspended" && this.context instanceof AudioContext) await this.context.resume();
  }

  pause() {
    const frame = this.position * this.rate;
    this.isPlaying = this.isRolling = false;
    this.at.frame = frame;
    this.post({ type: "pause" });
  }

  seek(seconds) {
    const frame = Math.min(Math.max(Math.round(seconds * this.rate), 0), this.frames);
    this.loader.want([frame, ...(this.isPlaying ? [this.at.frame] : [])], this.loop);
    this.at = { frame, time: this.context.currentTime };
    this.isRolling = false; // until the audio thread is there
    this.post({ type: "seek", frame, id: ++this.seeks });
  }

  /** Where the song is, in seconds. */
  get position() {
    if (!this.isRolling) return this.at.frame / this.rate;
    let frame = this.at.frame + Math.max(this.context.currentTime - this.at.time, 0) * this.rate;
    if (this.loop && this.at.frame < this.loop.stop && frame >= this.loop.stop) {
      frame = this.loop.start + ((frame - this.loop.start) % (this.loop.stop - this.loop.start));
    }
    return Math.min(frame, this.frames) / this.rate;
  }

  /** Repeat from a to b seconds; null for no loop. */
  setLoop(a, b) {
    this.loop = null;
    if (a !== null && a !== undefined) {
      const [start, stop] = [a, b].map((s) => Math.min(Math.max(Math.round(s * this.rate), 0), this.frames));
      if (stop - start >= SHORTEST_LOOP_S * this.rate) this.loop = { start, stop };
    }
    this.loader.want([this.at.frame], this.loop);
    this.post({ type: "loop", loop: this.loop });
  }

  /** "before", "after", or the number of an alternative from 0 on. The position stays; the switch takes 5 ms. */
  listen(which) {
    this.heard = which;
    this.post({ type: "listen", voice: voiceOf(which) });
  }

  /** From 0 to 1. */
  setVolume(gain) {
    this.output.gain.setTargetAtTime(gain, this.context.currentTime, 0.01);
  }

  /* what is played */

  /** The live chain, as POST /sections describes it; the event `applied` names the returned number. Where it is
      another than before, the region that was rendered with the old one fades away. */
  setSections(sections, which = "after") {
    for (const stage of sections.stages) {
      const numbers = [stage.gain ?? 1, ...["sos", "mid", "side"].flatMap((key) => (stage[key] ?? []).flat())];
      if (!numbers.every(Number.isFinite)) throw new Error(`the stage ${stage.name} has coefficients that are not numbers`);
    }
    this.follow(sections, which);
    this.post({ type: "sections", voice: voiceOf(which), sections, id: ++this.lastId });
    return this.lastId;
  }

  /** A port on which a worker may send messages as `setSections` does, so that they don't wait for the page; with
      `endsRegion` where they differ from those before. The page calls `follow` with what was sent. */
  livePort() {
    const { port1, port2 } = new MessageChannel();
    this.post({ type: "live", port: port1 }, [port1]);
    return port2;
  }

  /** The audio thread has got these sections: a region rendered with others isn't heard any more. */
  follow(sections, which = "after") {
    const voice = voiceOf(which);
    const region = this.regions.get(voice);
    const text = JSON.stringify(sections);
    if (region?.isHeard && text !== this.sections.get(voice)) {
      region.isHeard = false;
      this.post({ type: "region", voice, samples: null });
    }
    this.sections.set(voice, text);
  }

  /** How many further chains can be heard beside "before" and "after": proposals, snapshots, references. */
  setAlternatives(count) {
    this.gains.length = Math.min(this.gains.length, count + 2);
    while (this.gains.length < count + 2) this.gains.push(1);
    this.post({ type: "alternatives", count });
  }

  /** Gains in dB that bring before, after and the alternatives to one loudness; see `matchedDb`. */
  setMatched(beforeDb, afterDb, ...alternativesDb) {
    this.gains = [beforeDb, afterDb, ...alternativesDb].map(gainOf);
    this.post({ type: "matched", gains: this.gains });
  }

  /** Samples from the server in place of the live chain, from the frame `start` on; null for none. `matchedDb` is
      theirs alone, since they carry the gain of the delivery. The same array again only changes that, and stays
      away where the sections have changed since. */
  setRegion(pcm, start = 0, matchedDb = 0, which = "after") {
    const [voice, gain] = [voiceOf(which), gainOf(matchedDb)];
    const known = this.regions.get(voice);
    if (pcm && pcm === known?.pcm && start === known.start) {
      if (known.isHeard) this.post({ type: "regionGain", voice, gain });
      return;
    }
    if (!pcm && !known?.isHeard) return;
    this.regions.set(voice, { pcm, start, isHeard: Boolean(pcm) });
    const samples = pcm && new Float32Array(pcm);
    this.post({ type: "region", voice, samples, start, gain }, samples ? [samples.buffer] : []);
  }

  /** What to ask the server for, so that a region from a to b seconds sounds whole: { start, frames }. */
  regionOf(a, b) {
    const start = Math.max(Math.floor((a - MARGIN_S) * this.rate), 0);
    return { start, frames: Math.min(Math.ceil((b + MARGIN_S) * this.rate), this.frames) - start };
  }

  /* the audio thread */

  /** Device latency in seconds: what lies between a rendered quantum and the ear. */
  get latency() {
    return (this.context.baseLatency ?? 0) + (this.context.outputLatency ?? 0);
  }

  on(event, listener) {
    const listeners = this.listeners.get(event) ?? this.listeners.set(event, new Set()).get(event);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Resolves when the audio thread has taken everything that was sent so far. */
  settled() {
    const id = ++this.lastId;
    return new Promise((done) => {
      this.pings.set(id, done);
      this.post({ type: "ping", id });
    });
  }

  close() {
    this.loader.close();
    this.post({ type: "end" });
    this.node?.disconnect();
    this.output.disconnect();
  }

  post(message, transfer = []) {
    this.node?.port.postMessage(message, transfer);
  }

  tell(event, detail) {
    for (const listener of this.listeners.get(event) ?? []) listener(detail);
  }

  hear(message) {
    switch (message.type) {
      case "pong":
        this.pings.get(message.id)?.();
        this.pings.delete(message.id);
        return undefined;
      case "position":
        if (message.seeks !== this.seeks) return undefined;
        this.at = { frame: message.frame, time: message.time };
        this.isRolling = message.isRolling && message.isPlaying;
        if (message.isPlaying) this.loader.want([message.frame], this.loop);
        return this.tell("position", { seconds: message.frame / this.rate, isPlaying: message.isPlaying });
      case "ended":
        this.isPlaying = this.isRolling = false;
        this.at = { frame: 0, time: 0 };
        this.loader.want([0]);
        return this.tell("ended", null);
      default:
        return this.tell(message.type, message);
    }
  }
}

/** Gains in dB that bring songs of these LUFS to the quietest of them, so that nothing is turned up; silence counts
    for nothing. */
export function matchedDb(...lufs) {
  const common = Math.min(...lufs.filter(Number.isFinite));
  return lufs.map((value) => (Number.isFinite(value) ? common - value : 0));
}

function voiceOf(which) {
  if (which === "before") return -1;
  return which === "after" ? 0 : which + 1;
}
