/* The pyramid of peaks that the server sends: smallest and largest sample of each bin, at several resolutions. */

const MAGIC = 0x46574d4e; // "NMWF", little-endian

/** @returns {{channels, levels: [{samplesPerBin, bins, peaks: Int8Array}]}} peaks are (min, max) × channel × bin */
export function decodeWaveform(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 1) throw new Error("This is no waveform.");
  const channels = view.getUint32(8, true);
  const levels = [];
  let at = 16;
  for (let i = view.getUint32(12, true); i > 0; i--) {
    const [samplesPerBin, bins] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    levels.push({ samplesPerBin, bins, peaks: new Int8Array(buffer, at + 8, 2 * channels * bins) });
    at += 8 + 2 * channels * bins;
  }
  return { channels, levels };
}

/** Smallest and largest value of all channels for each of `columns` between two samples: [Float32Array, Float32Array]. */
export function peaksBetween(waveform, first, last, columns) {
  const perColumn = (last - first) / columns;
  const fitting = waveform.levels.filter((level) => level.samplesPerBin <= perColumn);
  const { samplesPerBin, bins, peaks } = fitting.at(-1) ?? waveform.levels[0];
  const stride = 2 * waveform.channels;
  const [low, high] = [new Float32Array(columns), new Float32Array(columns)];
  for (let column = 0; column < columns; column++) {
    const begin = Math.max(0, Math.floor((first + column * perColumn) / samplesPerBin));
    const end = Math.min(bins, Math.max(begin + 1, Math.ceil((first + (column + 1) * perColumn) / samplesPerBin)));
    let [least, most] = [127, -127];
    for (let bin = begin; bin < end; bin++)
      for (let k = bin * stride; k < (bin + 1) * stride; k += 2) {
        if (peaks[k] < least) least = peaks[k];
        if (peaks[k + 1] > most) most = peaks[k + 1];
      }
    low[column] = least > most ? 0 : least / 127;
    high[column] = least > most ? 0 : most / 127;
  }
  return [low, high];
}
