/* What is heard: one engine for the song on the table, started at the first press of Play. */

import { alertUser } from "./dom.js";
import { binary, get, postRaw } from "./api.js";
import { playOn } from "./live.js";
import { loudnessChange, matchedGains } from "./matched.js";
import { store } from "./store.js";

const EXACT_S = 10;
const METER_S = 0.1; // the server's meters: one value each
const SILENT = "No audio device was found: you can look, edit and render here, but not listen.";

/** Events: "position", "state" (playing, source, options), "loop", "meters". */
class Sound {
  constructor() {
    this.listeners = new Map();
    this.engine = null;
    this.context = null;
    this.engineSong = null;
    this.playing = false;
    this.source = "after";
    this.matched = true;
    this.exact = false; // the server renders the loop with every stage
    this.rendering = false;
    this.volume = 1;
    this.loop = null;
    this.offset = 0;
    this.meters = null;
    this.silent = false;
    this.testing = false; // a listening test has the gains
    this.region = null;
  }

  on(topics, act) {
    for (const topic of topics.split(" ")) this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), act]);
  }

  emit(topic) {
    for (const act of this.listeners.get(topic) ?? []) act();
  }

  get position() {
    return this.engine && this.engineSong === store.currentId ? this.engine.position : this.offset;
  }

  /** Makes the engine for the song on the table; null where this computer can't play. */
  async ready() {
    const { song } = store;
    if (!song?.waveform || this.silent) return null;
    if (this.engine && this.engineSong === song.id) return this.engine;
    this.drop();
    try {
      const { Engine } = await import("/static/engine/engine.js");
      this.context = new AudioContext({ sampleRate: song.sample_rate, latencyHint: "interactive" });
      const fetchPcm = async (start, frames, signal) => new Float32Array(await binary(`/songs/${song.id}/pcm?start=${start}&frames=${frames}`, signal));
      const engine = new Engine(this.context, song, fetchPcm);
      await engine.load();
      playOn(engine.livePort(), song.id);
      this.engine = engine;
      this.engineSong = song.id;
      engine.on("ended", () => this.stopped());
      engine.on("error", (error) => alertUser(error.message));
      this.context.addEventListener?.("error", () => this.lost());
      engine.seek(this.offset);
      this.setUp();
      return engine;
    } catch (error) {
      console.warn(error);
      this.lost();
      return null;
    }
  }

  lost() {
    this.silent = true;
    this.playing = false;
    alertUser(SILENT, "warn");
    this.emit("state");
  }

  setUp() {
    const { engine } = this;
    if (store.sections) engine.follow(store.sections);
    engine.listen(this.source);
    this.match();
    if (this.loop) engine.setLoop(...this.loop);
    else engine.setLoop(null);
    engine.setVolume(this.volume);
  }

  drop() {
    if (this.engine) this.offset = 0;
    this.engine?.pause();
    this.engine?.close();
    this.context?.close().catch(() => {});
    Object.assign(this, { engine: null, context: null, engineSong: null, playing: false, region: null, meters: null });
  }

  async toggle() {
    return this.playing ? this.pause() : this.play();
  }

  async play() {
    const engine = await this.ready();
    if (!engine) return;
    await this.context.resume();
    engine.play();
    this.playing = true;
    this.emit("state");
    this.follow();
  }

  stopped() {
    this.playing = false;
    this.offset = 0;
    this.emit("state");
    this.emit("position");
  }

  pause() {
    this.engine?.pause();
    this.playing = false;
    this.emit("state");
    this.emit("position");
  }

  follow() {
    if (!this.playing) return;
    this.emit("position");
    requestAnimationFrame(() => this.follow());
  }

  seek(seconds) {
    this.offset = Math.min(Math.max(seconds, 0), Math.max(0, (store.song?.seconds ?? 0) - 0.05));
    if (this.engineSong === store.currentId) this.engine?.seek(this.offset);
    this.emit("position");
  }

  listen(source) {
    this.source = source;
    this.engine?.listen(source);
    this.emit("state");
  }

  setMatched(on) {
    this.matched = on;
    this.match();
    this.emit("state");
  }

  setVolume(share) {
    this.volume = share;
    this.engine?.setVolume(share);
  }

  /** Gains of before, after and the rendered loop: equal loudness, or as they are below the master's level. */
  match() {
    const { song, sections, session } = store;
    if (!this.engine || !song?.spectrum || !sections || this.testing) return;
    const change = loudnessChange(song.spectrum, sections.stages, sections.sample_rate);
    const lifted = Math.max(0, session.decided?.forecast?.gain_db ?? 0);
    const { before, after } = this.matched ? matchedGains(change) : { before: -lifted, after: 0 };
    this.engine.setMatched(before, after);
    const { pcm, start, lufs, beforeLufs } = this.region ?? {};
    if (!pcm) return this.engine.setRegion(null);
    const known = Number.isFinite(lufs) && Number.isFinite(beforeLufs);
    this.engine.setRegion(pcm, start, this.matched ? (known ? beforeLufs + before - lufs : 0) : -lifted);
  }

  setLoop(range) {
    this.loop = range && range[1] - range[0] > 0.05 ? range : null;
    if (this.engine) this.loop ? this.engine.setLoop(...this.loop) : this.engine.setLoop(null);
    this.emit("loop");
    this.emit("state");
  }

  /** The loop has its length now: playing goes there, and the server may render it. */
  settleLoop() {
    if (!this.loop) return;
    if (this.position < this.loop[0] || this.position > this.loop[1]) this.seek(this.loop[0]);
    this.renderRegion();
  }

  toggleLoop() {
    const { seconds } = store.song;
    if (this.loop) {
      this.setLoop(null);
      this.setExact(false);
    } else {
      const start = Math.max(0, Math.min(this.position - 1, seconds - EXACT_S));
      this.setLoop([start, Math.min(seconds, start + EXACT_S)]);
    }
  }

  setExact(on) {
    this.exact = on;
    if (on && !this.loop) this.toggleLoop();
    if (on) this.renderRegion();
    else {
      this.abort?.abort();
      this.region = null;
      this.match();
    }
    this.emit("state");
  }

  /** Asks the server for the loop with every stage; a newer request cancels an older one. */
  async renderRegion() {
    this.abort?.abort();
    const { song, session } = store;
    if (!this.exact || !this.loop || !session?.used) return;
    const abort = (this.abort = new AbortController());
    this.rendering = true;
    this.emit("state");
    try {
      const engine = await this.ready();
      const { start, frames } = engine?.regionOf(...this.loop) ?? framesOf(this.loop, song);
      const body = { controls: session.used, settings: session.settings, start, frames, solo: store.view.solo, bypass: [] };
      const response = await postRaw(`/songs/${song.id}/preview`, body, { signal: abort.signal });
      const pcm = new Float32Array(await response.arrayBuffer());
      if (this.abort !== abort) return;
      const meters = await get(`/songs/${song.id}/preview/meters`);
      this.region = { pcm, start, lufs: meters.lufs, beforeLufs: meters.before_lufs };
      this.readMeters(meters, song.sample_rate);
      this.match();
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 409) alertUser(error.message);
    } finally {
      if (this.abort === abort) {
        this.rendering = false;
        this.emit("state");
      }
    }
  }

  readMeters({ start, reduction_db: lines }, rate) {
    const place = { start_s: start / rate, hop_s: METER_S };
    this.meters = Object.fromEntries(Object.entries(lines ?? {}).map(([name, db]) => [name, { ...place, db }]));
    this.emit("meters");
  }
}

const framesOf = ([a, b], { sample_rate: rate, frames }) => {
  const start = Math.round(a * rate);
  return { start, frames: Math.min(Math.round(b * rate), frames) - start };
};

export const sound = new Sound();
export function watchSound() {
  let timer = 0;
  store.on("sections", () => {
    if (sound.engineSong !== store.currentId) return;
    sound.engine?.follow(store.sections);
    sound.match();
    if (!sound.exact) return;
    clearTimeout(timer);
    timer = setTimeout(() => sound.renderRegion(), 200);
  });
  store.on("current", () => {
    sound.drop();
    sound.offset = 0;
    sound.exact = false;
    sound.setLoop(null);
    sound.emit("position");
    sound.emit("state");
  });
}
