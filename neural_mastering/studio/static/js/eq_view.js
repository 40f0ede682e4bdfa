/* The equaliser's picture: the song's spectrum, how it lies in the corridor of its style, and the curve over it. */

import { canvas, fillBetween, line } from "./canvas.js";
import { frequencies, frequencyShare, gainShare, MARKS_HZ, MINOR_HZ, rangeFor, shortHertz } from "./eq_scale.js";
import { interpolate, levelDb } from "./response.js";
import { store } from "./store.js";
import { colour, shade } from "./theme.js";

const HALF = 0.674; // standard deviations: half of all songs
const MOST = 1.282; // 80 % of all songs
const SPECTRUM_DB = 54;
const TILT_DB = 3; // an octave, so that music lies about level
const SMALLEST_WITH_BALANCE = 12;

export const bandColour = (index) => `--b${index % 6}`;

/** Sections of the equaliser that were computed last; empty before. */
export const eqSections = () => store.sections?.stages?.find((stage) => stage.name === "eq")?.sos ?? [];

export class EqView {
  constructor() {
    this.range = SMALLEST_WITH_BALANCE;
    this.holdRange = false; // while a band is dragged the axis may grow, never shrink
    const { node, redraw } = canvas("eq-canvas", (pen, width, height) => this.draw(pen, width, height));
    this.node = node;
    this.redraw = redraw;
    store.on("sections decided data view session current", redraw);
    this.onRange = () => {};
  }

  fitRange(curve) {
    const gains = [...(store.session?.used?.eq ?? []).map((band) => band.gain_db), Math.max(...curve), Math.min(...curve)];
    const least = store.view.layers.balance ? SMALLEST_WITH_BALANCE : 0;
    const range = Math.max(rangeFor(gains), least, this.holdRange ? this.range : 0);
    if (range === this.range) return;
    this.range = range;
    this.onRange();
  }

  draw(pen, width, height) {
    const { song, session, view } = store;
    const hz = frequencies(width);
    const rate = song?.sample_rate ?? 44_100;
    const sections = eqSections();
    const curve = levelDb(sections, hz, rate);
    this.fitRange(curve);
    const x = (f) => width * frequencyShare(f);
    const y = (db) => height * gainShare(db, this.range);
    const points = (values) => Array.from(hz, (f, i) => [x(f), values[i]]);
    const at = (values) => points(Array.from(values, y));

    this.grid(pen, width, height, x, y);
    if (view.layers.spectrum && song?.spectrum) this.spectrum(pen, song.spectrum, hz, height, points);
    const corridor = session?.decided?.corridor;
    if (view.layers.balance && corridor?.usual_db) this.balance(pen, corridor, hz, curve, at);
    this.bands(pen, sections, hz, rate, at, y);
    const zero = Array.from(hz, (f) => [x(f), y(0)]);
    fillBetween(pen, at(curve), zero, shade("--accent", 0.14));
    line(pen, at(curve), colour("--accent"), 2.4);
  }

  grid(pen, width, height, x, y) {
    pen.lineWidth = 1;
    for (const [marks, opacity] of [[MINOR_HZ, 0.45], [MARKS_HZ, 1]]) {
      pen.strokeStyle = shade("--grid", opacity);
      pen.beginPath();
      for (const f of marks) {
        pen.moveTo(Math.round(x(f)) + 0.5, 0);
        pen.lineTo(Math.round(x(f)) + 0.5, height);
      }
      pen.stroke();
    }
    pen.strokeStyle = colour("--grid");
    pen.beginPath();
    for (const db of this.gainMarks()) {
      pen.moveTo(0, Math.round(y(db)) + 0.5);
      pen.lineTo(width, Math.round(y(db)) + 0.5);
    }
    pen.stroke();
    line(pen, [[0, y(0)], [width, y(0)]], shade("--muted", 0.8), 1);
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = colour("--soft");
    pen.textBaseline = "bottom";
    let free = -Infinity;
    for (const f of MARKS_HZ) {
      const at = x(f);
      if (at < free) continue;
      free = at + (f === MARKS_HZ[0] ? 60 : 36);
      pen.textAlign = at < 20 ? "left" : at > width - 20 ? "right" : "center";
      pen.fillText(f === MARKS_HZ[0] ? "20 Hz" : shortHertz(f), Math.min(Math.max(at, 4), width - 4), height - 4);
    }
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    for (const db of this.gainMarks()) {
      const text = db === 0 ? "0 dB" : db > 0 ? `+${db}` : `\u2212${-db}`;
      pen.fillText(text, 5, y(db) - 8);
    }
  }

  gainMarks() {
    const step = this.range === 24 ? 12 : this.range / 2;
    return [-2, -1, 0, 1, 2].map((n) => n * step);
  }

  spectrum(pen, spectrum, hz, height, points) {
    const { hz: from, level_db: level } = spectrum.fine ?? spectrum;
    const tilted = level.map((db, i) => (db === null ? NaN : db + TILT_DB * Math.log2(from[i] / 1000)));
    const top = Math.max(...tilted.filter(Number.isFinite));
    const values = interpolate(from, tilted, hz);
    const place = (db) => height * (0.14 + (0.86 * (top - db)) / SPECTRUM_DB);
    const outline = points(Array.from(values, (db) => Math.min(place(db), height))).filter(([, y]) => Number.isFinite(y));
    if (outline.length < 2) return;
    const paint = pen.createLinearGradient(0, height * 0.1, 0, height);
    paint.addColorStop(0, shade("--before", 0.26));
    paint.addColorStop(1, shade("--before", 0.04));
    fillBetween(pen, outline, outline.map(([x]) => [x, height]), paint);
  }

  balance(pen, corridor, hz, curve, at) {
    const deviation = corridor.level_db.map((db, i) => (db === null || corridor.usual_db[i] === null ? NaN : db - corridor.usual_db[i]));
    const sd = interpolate(corridor.hz, corridor.sd_db, hz);
    for (const [width, opacity] of [[MOST, 0.1], [HALF, 0.14]]) {
      const upper = at(sd.map((v) => width * v)).filter(([, y]) => Number.isFinite(y));
      const lower = at(sd.map((v) => -width * v)).filter(([, y]) => Number.isFinite(y));
      if (upper.length > 1) fillBetween(pen, upper, lower, shade("--target", opacity));
    }
    const mix = interpolate(corridor.hz, deviation, hz);
    line(pen, at(mix), colour("--before"), 1.4);
    line(pen, at(mix.map((v, i) => v + curve[i])), colour("--target"), 1.8, [6, 4]);
  }

  bands(pen, sections, hz, rate, at, y) {
    const bands = store.session?.used?.eq ?? [];
    if (sections.length < bands.length || bands.length < 2) return;
    const zero = at(new Float64Array(hz.length));
    bands.forEach((_, i) => {
      const alone = at(levelDb([sections[i]], hz, rate));
      const chosen = i === store.band;
      fillBetween(pen, alone, zero, shade(bandColour(i), chosen ? 0.2 : 0.07));
      if (chosen) line(pen, alone, shade(bandColour(i), 0.8), 1);
    });
  }
}
