/* Equal loudness for before and after, from the song's spectrum and the sections in use. */

import { levelDb } from "./response.js";

/* K-weighting of BS.1770 at 48 kHz, whose level we need at frequencies only */
const K_RATE = 48_000;
const K_WEIGHTING = [
  [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585],
  [1, -2, 1, -1.99004745483398, 0.99007225036621],
];

/** Gain in LU of live stages over a song with this spectrum; the finer one knows more of narrow bands. */
export function loudnessChange(spectrum, stages, sampleRate) {
  const { side_share: side = 0 } = spectrum;
  const { hz: middles, level_db: levels } = spectrum.fine ?? spectrum;
  const known = middles.map((_, i) => i).filter((i) => levels[i] !== null);
  const hz = known.map((i) => middles[i]);
  const of = (key) => levelDb(stages.flatMap((stage) => stage[key] ?? []), hz, sampleRate);
  const [both, ofMid, ofSide] = [of("sos"), of("mid"), of("side")];
  const gain = stages.reduce((product, stage) => product * (stage.gain ?? 1), 1);
  const weight = levelDb(K_WEIGHTING, hz, K_RATE);
  let before = 0;
  let after = 0;
  known.forEach((i, k) => {
    const power = powerOf(levels[i] + weight[k]);
    before += power;
    after += power * powerOf(both[k]) * ((1 - side) * powerOf(ofMid[k]) + side * powerOf(ofSide[k]));
  });
  return before > 0 && after > 0 && gain > 0 ? 10 * Math.log10(after / before) + 20 * Math.log10(gain) : 0;
}

const powerOf = (db) => 10 ** (db / 10);

/** Gains in dB that play both at the loudness of the quieter one, so that neither clips. */
export function matchedGains(changeDb) {
  const common = Math.min(0, changeDb);
  return { before: common, after: common - changeDb };
}
