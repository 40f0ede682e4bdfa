/* Equal loudness for before and after, from the song's spectrum and the sections in use. */

import { levelDb } from "./response.js";

/* K-weighting of BS.1770 at 48 kHz, whose level we need at frequencies only */
const K_RATE = 48_000;
const K_WEIGHTING = [
  [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585],
  [1, -2, 1, -1.99004745483398, 0.99007225036621],
];

/** Gain in LU of sections in series over a sound with this spectrum (power per band at `hz`). */
export function loudnessChange(spectrum, stages, sampleRate) {
  const sections = stages.flatMap((stage) => stage.sos ?? []);
  const gain = stages.reduce((product, stage) => product * (stage.kind === "gain" ? stage.gain : 1), 1);
  const known = spectrum.hz.map((_, i) => i).filter((i) => spectrum.level_db[i] !== null);
  const hz = known.map((i) => spectrum.hz[i]);
  const weight = levelDb(K_WEIGHTING, hz, K_RATE);
  const curve = levelDb(sections, hz, sampleRate);
  const sum = (extra) => known.reduce((total, i, k) => total + 10 ** ((spectrum.level_db[i] + weight[k] + extra[k]) / 10), 0);
  const before = sum(new Float64Array(hz.length));
  return before > 0 ? 10 * Math.log10(sum(curve) / before) + 20 * Math.log10(gain) : 0;
}

/** Gains in dB that play both at the loudness of the quieter one, so that neither clips. */
export function matchedGains(changeDb) {
  const common = Math.min(0, changeDb);
  return { before: common, after: common - changeDb };
}
