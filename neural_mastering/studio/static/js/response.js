/* What second-order sections do to a level. */

/** Level in dB of sections [b0, b1, b2, a1, a2] in series at each frequency.
    |b|² at ω is (b0+b1+b2)² − φ(b0b1 + 4b0b2 + b1b2) + φ²b0b2 with φ = 4 sin²(ω/2). */
export function levelDb(sections, hz, sampleRate) {
  return Float64Array.from(hz, (f) => {
    const phi = 4 * Math.sin((Math.PI * Math.min(f, 0.4999 * sampleRate)) / sampleRate) ** 2;
    let power = 1;
    for (const [b0, b1, b2, a1, a2] of sections) power *= squared(b0, b1, b2, phi) / squared(1, a1, a2, phi);
    return 10 * Math.log10(power);
  });
}

function squared(c0, c1, c2, phi) {
  return (c0 + c1 + c2) ** 2 - phi * (c0 * c1 + 4 * c0 * c2 + c1 * c2) + phi * phi * c0 * c2;
}

/** Values at other frequencies, straight on a logarithmic axis; missing values stay missing. */
export function interpolate(hz, values, at) {
  let i = 0;
  return Float64Array.from(at, (f) => {
    if (f < hz[0] || f > hz.at(-1)) return NaN;
    while (i < hz.length - 2 && hz[i + 1] < f) i++;
    while (i > 0 && hz[i] > f) i--;
    const share = Math.log(f / hz[i]) / Math.log(hz[i + 1] / hz[i]);
    const [a, b] = [values[i] ?? NaN, values[i + 1] ?? NaN];
    return a + share * (b - a);
  });
}
