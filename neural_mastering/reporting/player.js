"use strict";
/* Players that switch without a gap: all sources of a song run at once on one clock, and a switch only moves gains.
   Sources are decoded at the first press of Play and forgotten when another song plays. */

const SWITCH_S = 0.004; // time constant of a switch: over in 20 ms, and the sum of both gains stays 1
const LEAD_S = 0.03;

const gainOf = (db) => 10 ** (db / 20);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const signed = (db) => (Math.abs(db) < 0.05 ? "0.0" : (db < 0 ? "\u2212" : "+") + Math.abs(db).toFixed(1)) + "\u00a0dB";
const minus = (x, digits) => (x < 0 ? "\u2212" : "") + Math.abs(x).toFixed(digits);

/** Plays buffers side by side in any audio context; `levels` are in dB, one of the sources is heard. */
class Mixer {
  constructor(context, buffers, destination = context.destination) {
    this.context = context;
    this.buffers = buffers;
    this.length = Math.min(...buffers.map((b) => b.duration));
    this.out = context.createGain();
    this.out.connect(destination);
    this.levels = buffers.map(() => 0);
    this.heard = 0;
    this.voices = null;
    this.offset = 0;
    this.loop = true;
    this.ended = () => {};
  }

  target(i) {
    return i === this.heard ? gainOf(this.levels[i]) : 0;
  }

  start() {
    const when = this.context.currentTime + (this.context.currentTime > 0 ? LEAD_S : 0);
    this.began = when - this.offset;
    this.voices = this.buffers.map((buffer, i) => {
      const node = this.context.createBufferSource();
      node.buffer = buffer;
      node.loop = this.loop;
      node.loopEnd = this.length;
      const gain = this.context.createGain();
      gain.gain.value = this.target(i);
      node.connect(gain).connect(this.out);
      if (this.loop) node.start(when, this.offset);
      else node.start(when, this.offset, this.length - this.offset);
      return { node, gain };
    });
    const voices = this.voices;
    voices[0].node.onended = () => {
      if (this.voices !== voices) return;
      this.stop();
      this.offset = 0;
      this.ended();
    };
  }

  stop() {
    if (!this.voices) return;
    this.offset = this.position();
    const now = this.context.currentTime;
    for (const { node, gain } of this.voices) {
      gain.gain.setTargetAtTime(0, now, SWITCH_S);
      node.stop(now + 10 * SWITCH_S);
    }
    this.voices = null;
  }

  position() {
    if (!this.voices) return this.offset;
    const at = Math.max(this.context.currentTime - this.began, 0);
    return this.loop ? at % this.length : Math.min(at, this.length);
  }

  seek(seconds) {
    const playing = this.voices !== null;
    this.stop();
    this.offset = Math.min(Math.max(seconds, 0), Math.max(this.length - 0.01, 0));
    if (playing) this.start();
  }

  setLoop(loop) {
    this.loop = loop;
    this.seek(this.position());
  }

  select(i) {
    this.heard = i;
    this.apply();
  }

  apply() {
    if (!this.voices) return;
    const now = this.context.currentTime;
    this.voices.forEach(({ gain }, i) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setTargetAtTime(this.target(i), now, SWITCH_S);
    });
  }
}

function decodeBase64(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

class Player {
  static all = [];
  static current = null;
  static audio = null; // one audio context a page, made at the first press of Play

  constructor(root) {
    this.root = root;
    this.data = JSON.parse(root.querySelector("script.player-data").textContent);
    this.sources = this.data.sources;
    this.song = this.data.song;
    this.mixer = null;
    this.loading = null;
    this.order = this.sources.map((_, i) => i);
    this.names = null; // hidden names of a blind test, in the order of the buttons
    this.heard = 0;
    this.offset = 0;
    this.heardS = this.sources.map(() => 0);
    this.switches = 0;
    this.play = root.querySelector(".play");
    this.line = root.querySelector(".seek");
    this.time = root.querySelector(".time");
    this.status = root.querySelector(".status");
    this.box = root.querySelector(".sources");
    this.matched = root.querySelector(".matched input");
    this.loop = root.querySelector(".loop input");
    this.volume = root.querySelector(".volume input");
    this.play.addEventListener("click", () => this.toggle());
    this.matched.addEventListener("change", () => this.setLevels());
    this.loop.addEventListener("change", () => this.mixer?.setLoop(this.loop.checked));
    this.volume.addEventListener("input", () => this.setVolume());
    this.line.addEventListener("pointerdown", (event) => this.drag(event));
    this.line.addEventListener("keydown", (event) => this.slide(event));
    root.addEventListener("pointerdown", () => (Player.current = this));
    root.addEventListener("focusin", () => (Player.current = this));
    this.drawSources();
    Player.all.push(this);
    root.classList.add("ready");
  }

  /* what is heard */

  async load() {
    Player.audio ??= new AudioContext({ latencyHint: "interactive" });
    const context = Player.audio;
    const texts = this.root.querySelectorAll("script.clip");
    const buffers = await Promise.all([...texts].map((t) => context.decodeAudioData(decodeBase64(t.textContent))));
    this.mixer = new Mixer(context, buffers);
    this.mixer.loop = this.loop.checked;
    this.mixer.heard = this.heard;
    this.mixer.offset = this.offset;
    this.mixer.ended = () => this.show();
    this.setLevels();
    this.setVolume();
  }

  async toggle() {
    if (this.playing) return this.pause();
    for (const other of Player.all) if (other !== this) other.release();
    Player.current = this;
    if (!this.mixer) {
      this.say("Decoding \u2026");
      try {
        await (this.loading ??= this.load());
        this.say("");
      } catch (error) {
        this.say(`This browser can't decode the audio (${error.message}).`);
        return undefined;
      } finally {
        this.loading = null;
      }
    }
    await Player.audio.resume();
    if (this.playing || !this.mixer || Player.current !== this) return undefined;
    this.mixer.start();
    this.since = Player.audio.currentTime;
    this.show();
    this.tick();
    return undefined;
  }

  get playing() {
    return Boolean(this.mixer?.voices);
  }

  get position() {
    return this.mixer ? this.mixer.position() : this.offset;
  }

  pause() {
    this.count();
    this.mixer?.stop();
    this.show();
  }

  release() {
    if (!this.mixer) return;
    this.pause();
    this.offset = this.mixer.offset;
    this.mixer.out.disconnect();
    this.mixer = null;
    this.show();
  }

  seek(seconds) {
    this.count();
    this.offset = Math.min(Math.max(seconds, 0), this.data.seconds);
    this.mixer?.seek(this.offset);
    this.show();
  }

  /** Hear the source behind a button; the position stays. */
  select(button) {
    if (button < 0 || button >= this.order.length) return;
    this.count();
    const next = this.order[button];
    if (this.names || next !== this.heard) this.switches++;
    this.button = button;
    this.heard = next;
    this.mixer?.select(next);
    this.show();
  }

  setLevels() {
    if (!this.mixer) return;
    const key = this.matched.checked ? "matched_db" : "true_db";
    this.mixer.levels = this.sources.map((s) => s[key]);
    this.mixer.apply();
    this.show();
  }

  setVolume() {
    const db = Number(this.volume.value);
    this.volume.setAttribute("aria-valuetext", `${db} dB`);
    if (this.mixer) this.mixer.out.gain.value = db <= Number(this.volume.min) ? 0 : gainOf(db);
  }

  /* what has been heard, for the log */

  count() {
    if (!this.playing) return;
    const now = Player.audio.currentTime;
    this.heardS[this.heard] += now - this.since;
    this.since = now;
  }

  reset() {
    this.count();
    this.heardS.fill(0);
    this.switches = 0;
  }

  /** Buttons for the sources in this order; with names, nothing tells which source is which. */
  arrange(order, names = null, button = 0) {
    this.order = order;
    this.names = names;
    this.button = button;
    this.matched.disabled = names !== null;
    if (names) this.matched.checked = true;
    this.root.classList.toggle("blind", names !== null);
    this.heard = order[button];
    this.mixer?.select(this.heard);
    this.setLevels();
    this.drawSources();
  }

  /* what is seen */

  drawSources() {
    this.box.replaceChildren(
      ...this.order.map((source, i) => {
        const s = this.sources[source];
        const button = make("button", { type: "button", className: this.names ? "source" : `source ${s.colour}` });
        button.setAttribute("role", "radio");
        button.append(make("kbd", { textContent: i + 1 }), make("span", { textContent: this.names ? this.names[i] : s.name }));
        if (!this.names) button.append(make("small", {}));
        button.addEventListener("click", () => this.select(i));
        return button;
      }),
    );
    this.show();
  }

  show() {
    const key = this.matched.checked ? "matched_db" : "true_db";
    const button = this.button ?? this.order.indexOf(this.heard);
    [...this.box.children].forEach((node, i) => {
      const on = i === button;
      node.setAttribute("aria-checked", String(on));
      node.tabIndex = on ? 0 : -1;
      const small = node.querySelector("small");
      if (small) small.textContent = signed(this.sources[this.order[i]][key]);
    });
    this.play.setAttribute("aria-pressed", String(this.playing));
    this.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    const at = this.position;
    this.time.textContent = `${clock(at)} / ${clock(this.data.seconds)}`;
    this.line.style.setProperty("--at", at / this.data.seconds);
    this.line.setAttribute("aria-valuenow", at.toFixed(1));
    this.line.setAttribute("aria-valuetext", `${at.toFixed(1)} of ${this.data.seconds.toFixed(1)} seconds`);
    for (const head of this.heads ??= [...(this.root.closest("details.song") ?? document).querySelectorAll(".playhead")]) {
      head.style.left = `${(100 * (this.data.start_s + at)) / Number(head.dataset.lastS)}%`;
      head.hidden = !this.mixer;
    }
  }

  tick() {
    if (!this.playing) return;
    this.show();
    requestAnimationFrame(() => this.tick());
  }

  say(text) {
    this.status.textContent = text;
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.line.focus();
    this.line.setPointerCapture(event.pointerId);
    const move = (e) => {
      const { left, width } = this.line.getBoundingClientRect();
      this.seek(((e.clientX - left) / width) * this.data.seconds);
    };
    move(event);
    this.line.addEventListener("pointermove", move);
    const end = () => this.line.removeEventListener("pointermove", move);
    this.line.addEventListener("pointerup", end, { once: true });
    this.line.addEventListener("pointercancel", end, { once: true });
  }

  slide(event) {
    const places = { Home: 0, End: this.data.seconds, PageUp: this.position + 5, PageDown: this.position - 5 };
    if (!(event.key in places)) return;
    event.preventDefault();
    this.seek(places[event.key]);
  }
}

const KEYS = {
  " ": (p) => p.toggle(),
  ArrowLeft: (p) => p.seek(p.position - 2),
  ArrowRight: (p) => p.seek(p.position + 2),
  ArrowDown: (p) => p.select((p.button + 1) % p.order.length),
  ArrowUp: (p) => p.select((p.button + p.order.length - 1) % p.order.length),
  m: (p) => p.matched.disabled || p.matched.click(),
  l: (p) => p.loop.click(),
  b: (p) => p.root.querySelector(".start-blind")?.click(),
  x: (p) => p.root.querySelector(".start-abx")?.click(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const on = event.target instanceof Element ? event.target : document.body;
  const inside = on.closest(".player");
  if (on.closest("input[type=search], input[type=text], select, textarea")) return;
  const visible = Player.all.filter((p) => p.root.offsetParent !== null);
  const player = visible.find((p) => p === Player.current) ?? visible[0];
  if (!player) return;
  const number = "123456789".indexOf(event.key);
  if (number >= 0) {
    player.select(number);
    if (inside && on.classList.contains("source")) player.box.children[player.button]?.focus();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const arrows = key.startsWith("Arrow");
  if (arrows && (on.matches("input[type=range]") || !inside)) return; // the page may scroll
  if (key === " " && on.closest("button, summary, a, input") && !on.matches(".play, .source")) return;
  if (key === " " && on.matches(".play")) return; // the button itself answers
  if (!(key in KEYS)) return;
  event.preventDefault();
  KEYS[key](player);
  if (arrows && on.classList.contains("source")) player.box.children[player.button]?.focus();
}
