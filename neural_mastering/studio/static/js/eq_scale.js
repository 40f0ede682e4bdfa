/* The axes of the equaliser: frequency in octaves, gain in dB. */

import { clamp } from "./dom.js";

export const LOW_HZ = 20;
export const HIGH_HZ = 20_000;
const SPAN = Math.log(HIGH_HZ / LOW_HZ);
const RANGES_DB = [6, 12, 24];

export const frequencyShare = (hz) => Math.log(hz / LOW_HZ) / SPAN;
export const shareFrequency = (share) => LOW_HZ * Math.exp(clamp(share, 0, 1) * SPAN);
export const gainShare = (db, range) => 0.5 - (0.5 * db) / (range * 1.12);
export const shareGain = (share, range) => (0.5 - share) * 2 * range * 1.12;

/** The smallest range that shows every gain. */
export const rangeFor = (gains) => RANGES_DB.find((range) => gains.every((db) => Math.abs(db) <= range)) ?? RANGES_DB.at(-1);

export const MARKS_HZ = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000];
export const MINOR_HZ = [30, 40, 60, 70, 80, 90, 300, 400, 600, 700, 800, 900, 3000, 4000, 6000, 7000, 8000, 9000];
export const shortHertz = (hz) => (hz < 1000 ? String(hz) : `${hz / 1000}k`);

/** Frequencies of a curve, one each `every` pixels. */
export function frequencies(width, every = 2) {
  const count = Math.max(2, Math.round(width / every) + 1);
  return Float64Array.from({ length: count }, (_, i) => shareFrequency(i / (count - 1)));
}
