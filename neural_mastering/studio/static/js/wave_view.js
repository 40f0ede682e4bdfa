/* The whole song: peaks, loudness over time, where the limiter works, the loop, and the place that is heard. */

import { canvas, fillBetween, line } from "./canvas.js";
import { announce, clamp, make } from "./dom.js";
import { clock } from "./format.js";
import { isLeftOut } from "./session.js";
import { sound } from "./sound.js";
import { store } from "./store.js";
import { colour, shade } from "./theme.js";
import { peaksBetween } from "./waveform.js";

const LOUDEST = 0; // LUFS at the top of the picture
const SOFTEST = -40;
const HARD_DB = 3; // a limiter that takes off more is shown as hard work
const STEP_S = 2;

export class WaveView {
  constructor() {
    const { node, redraw } = canvas("wave-canvas", (pen, width, height) => this.draw(pen, width, height));
    this.redraw = redraw;
    this.head = make("div", { className: "playhead", "aria-hidden": "true" });
    this.hint = make("p", { className: "hint" });
    this.box = make("div", {
      className: "wave",
      role: "slider",
      tabIndex: 0,
      "aria-label": "Place in the song",
      "aria-valuemin": 0,
      "aria-describedby": "wave-help",
    }, node, this.head);
    const legend = make("ul", { className: "legend" },
      make("li", { className: "loudness" }, make("i", { "aria-hidden": "true" }), "Loudness, 3 s"),
      make("li", { className: "limited" }, make("i", { "aria-hidden": "true" }), `Here the limiter will take off more than ${HARD_DB} dB`));
    const help = make("p", { className: "hint", id: "wave-help" }, "Click to go there; drag to loop a part (keys I and O).");
    this.limited = legend.lastChild;
    this.node = make("div", { className: "wave-box" }, this.box, make("div", { className: "wave-foot" }, legend, help));
    this.box.addEventListener("pointerdown", (event) => this.drag(event));
    this.box.addEventListener("keydown", (event) => this.key(event));
    store.on("data current view", () => this.changed());
    store.on("decided session", redraw);
    sound.on("position", () => this.move());
    sound.on("loop", redraw);
  }

  changed() {
    this.box.setAttribute("aria-valuemax", Math.round(store.song?.seconds ?? 0));
    this.move();
    this.redraw();
  }

  move() {
    const seconds = store.song?.seconds;
    if (!seconds) return;
    const share = clamp(sound.position / seconds, 0, 1);
    this.head.style.left = `${(100 * share).toFixed(3)}%`;
    this.box.setAttribute("aria-valuenow", sound.position.toFixed(1));
    this.box.setAttribute("aria-valuetext", `${clock(sound.position)} of ${clock(seconds)}`);
  }

  drag(event) {
    if (event.button !== 0 || !store.song?.seconds) return;
    event.preventDefault();
    this.box.focus({ preventScroll: true });
    this.box.setPointerCapture(event.pointerId);
    const bounds = this.box.getBoundingClientRect();
    const time = (at) => clamp((at.clientX - bounds.left) / bounds.width, 0, 1) * store.song.seconds;
    const from = time(event);
    const far = (at) => Math.abs(at.clientX - event.clientX) > 5;
    let looped = false;
    const move = (at) => {
      looped ||= far(at);
      if (looped) sound.setLoop([Math.min(from, time(at)), Math.max(from, time(at))]);
    };
    const end = (at) => {
      this.box.removeEventListener("pointermove", move);
      if (looped) sound.settleLoop();
      else sound.seek(time(at));
    };
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerup", end, { once: true });
  }

  key(event) {
    const by = { ArrowLeft: -STEP_S, ArrowRight: STEP_S, PageDown: -30, PageUp: 30 }[event.key];
    if (by) sound.seek(sound.position + by * (event.shiftKey ? 0.1 : 1));
    else if (event.key === "Home") sound.seek(0);
    else if (event.key === "i" || event.key === "o") this.setEdge(event.key);
    else if (event.key === "End") sound.seek(Math.max(0, store.song.seconds - 5));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The loop begins (I) or ends (O) here. */
  setEdge(key) {
    const [from, to] = sound.loop ?? [0, store.song.seconds];
    const here = sound.position;
    const loop = key === "i" ? [here, to > here ? to : store.song.seconds] : [from < here ? from : 0, here];
    sound.setLoop(loop);
    if (sound.loop) sound.renderRegion();
    announce(sound.loop ? `Loop from ${clock(loop[0])} to ${clock(loop[1])}.` : "No loop.");
  }

  draw(pen, width, height) {
    const { song } = store;
    if (!song?.waveform) return;
    const samples = song.seconds * song.sample_rate;
    const columns = Math.round(width);
    const [low, high] = peaksBetween(song.waveform, 0, samples, columns);
    const middle = height / 2;
    const top = Array.from(high, (v, x) => [x, middle - v * middle * 0.94 - 0.4]);
    const bottom = Array.from(low, (v, x) => [x, middle - v * middle * 0.94 + 0.4]);
    this.shadeHardWork(pen, height, low, high);
    fillBetween(pen, top, bottom, shade("--before", 0.5));
    this.loop(pen, width, height);
    const { short_term: loud, short_term_s: window = 0, hop_s: hop } = song.loudness ?? {};
    if (!loud) return;
    const y = (lufs) => height * clamp((LOUDEST - lufs) / (LOUDEST - SOFTEST), 0, 1);
    const points = loud.map((lufs, i) => [(width * (i * hop + window / 2)) / song.seconds, lufs === null ? NaN : y(lufs)]);
    line(pen, points, colour("--target"), 1.8);
    const target = store.session?.decided?.target?.lufs;
    if (Number.isFinite(target)) line(pen, [[0, y(target)], [width, y(target)]], shade("--target", 0.7), 1, [4, 4]);
  }

  /** Columns whose peaks stand more than HARD_DB over the ceiling with the gain of the forecast. */
  shadeHardWork(pen, height, low, high) {
    const { decided, settings } = store.session;
    const ceiling = typeof settings.ceiling === "number" ? settings.ceiling : decided?.target.ceiling_db;
    const gain = decided?.forecast.gain_db;
    const isWorking = Number.isFinite(gain) && Number.isFinite(ceiling) && settings.ceiling !== "off" && !isLeftOut(settings, "limiter");
    const least = 10 ** ((ceiling - gain + HARD_DB) / 20);
    let some = false;
    pen.fillStyle = shade("--accent", 0.28);
    for (let x = 0; isWorking && x < high.length; x++) {
      if (Math.max(high[x], -low[x]) <= least) continue;
      pen.fillRect(x, 0, 1, height);
      some = true;
    }
    this.limited.hidden = !some;
  }

  loop(pen, width, height) {
    if (!sound.loop) return;
    const [a, b] = sound.loop.map((s) => (width * s) / store.song.seconds);
    pen.fillStyle = shade("--accent", 0.13);
    pen.fillRect(a, 0, b - a, height);
    line(pen, [[a, 0], [a, height]], colour("--accent"), 1.5);
    line(pen, [[b, 0], [b, height]], colour("--accent"), 1.5);
  }
}
