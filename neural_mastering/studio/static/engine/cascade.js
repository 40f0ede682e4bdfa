/* Second-order sections whose coefficients glide, in float64. Direct form 1: the state of a section is its signals,
   which stay what they are while coefficients move, and any mix of two stable sections is stable. */

const COEFFICIENTS = 5; // b0, b1, b2, a1, a2
const MEMORY = 4; // x1, x2, y1, y2
const SILENT = 1e-30;

/** One number that glides. */
export class Glide {
  constructor(value) {
    this.now = value;
    this.aim = value;
    this.left = 0;
    this.step = 0;
  }

  to(value, samples) {
    this.aim = value;
    this.left = value === this.now ? 0 : samples;
    this.step = this.left > 0 ? (value - this.now) / this.left : 0;
    if (this.left === 0) this.now = value;
  }

  next() {
    if (this.left > 0) {
      this.left--;
      this.now = this.left === 0 ? this.aim : this.now + this.step;
    }
    return this.now;
  }

  get isAtRest() {
    return this.left === 0;
  }
}

/** Sections in series, the same for each of some signals. One that does nothing is always there: it remembers. */
export class Cascade {
  constructor(signals) {
    this.signals = signals;
    this.slots = 0;
    this.left = 0;
    this.now = new Float64Array(0);
    this.aim = new Float64Array(0);
    this.step = new Float64Array(0);
    this.memory = new Float64Array(0);
    this.grow(1);
  }

  /** More sections at the end that do nothing yet; their past is what came out of the last one. */
  grow(slots) {
    const wider = (old, size) => {
      const array = new Float64Array(size);
      array.set(old.subarray(0, Math.min(old.length, size)));
      return array;
    };
    for (const name of ["now", "aim", "step"]) this[name] = wider(this[name], slots * COEFFICIENTS);
    const stride = this.signals * MEMORY;
    this.memory = wider(this.memory, slots * stride);
    for (let k = this.slots; k < slots; k++) {
      this.now.fill(0, k * COEFFICIENTS, (k + 1) * COEFFICIENTS);
      this.aim.fill(0, k * COEFFICIENTS, (k + 1) * COEFFICIENTS);
      this.now[k * COEFFICIENTS] = this.aim[k * COEFFICIENTS] = 1;
      for (let s = 0; k > 0 && s < this.signals; s++) {
        const to = k * stride + s * MEMORY;
        const from = to - stride;
        for (let i = 0; i < MEMORY; i++) this.memory[to + i] = this.memory[from + 2 + (i % 2)];
      }
    }
    this.slots = slots;
  }

  /** Reach `rows` of five coefficients after so many samples; sections that are no more fade into nothing done. */
  glideTo(rows, samples) {
    if (rows.length > this.slots) this.grow(rows.length);
    for (let k = 0; k < this.slots; k++) {
      for (let i = 0; i < COEFFICIENTS; i++) {
        this.aim[k * COEFFICIENTS + i] = k < rows.length ? rows[k][i] : i === 0 ? 1 : 0;
      }
    }
    this.left = samples;
    if (samples <= 0) this.arrive();
    else for (let j = 0; j < this.aim.length; j++) this.step[j] = (this.aim[j] - this.now[j]) / samples;
  }

  arrive() {
    this.left = 0;
    this.now.set(this.aim);
    let used = this.slots;
    while (used > 1 && this.isIdentity(used - 1)) used--;
    this.slots = used;
  }

  isIdentity(slot) {
    const at = slot * COEFFICIENTS;
    const now = this.now;
    return now[at] === 1 && now[at + 1] === 0 && now[at + 2] === 0 && now[at + 3] === 0 && now[at + 4] === 0;
  }

  /** Filter the first `count` samples of one or two signals in place. */
  process(count, first, second) {
    const gliding = Math.min(this.left, count);
    if (gliding > 0) {
      this.run(first, second, 0, gliding, true);
      for (let j = 0; j < this.slots * COEFFICIENTS; j++) this.now[j] += this.step[j] * gliding;
      this.left -= gliding;
      if (this.left === 0) this.arrive();
    }
    if (gliding < count) this.run(first, second, gliding, count, false);
  }

  run(first, second, from, to, isGliding) {
    const { now, step, memory } = this;
    for (let k = 0; k < this.slots; k++) {
      const c = k * COEFFICIENTS;
      for (let s = 0; s < this.signals; s++) {
        const signal = s === 0 ? first : second;
        const m = (k * this.signals + s) * MEMORY;
        let x1 = memory[m];
        let x2 = memory[m + 1];
        let y1 = memory[m + 2];
        let y2 = memory[m + 3];
        let b0 = now[c];
        let b1 = now[c + 1];
        let b2 = now[c + 2];
        let a1 = now[c + 3];
        let a2 = now[c + 4];
        for (let i = from; i < to; i++) {
          if (isGliding) {
            b0 += step[c];
            b1 += step[c + 1];
            b2 += step[c + 2];
            a1 += step[c + 3];
            a2 += step[c + 4];
          }
          const x = signal[i];
          const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
          x2 = x1;
          x1 = x;
          y2 = y1;
          y1 = y;
          signal[i] = y;
        }
        if (Math.abs(y1) < SILENT && Math.abs(y2) < SILENT) y1 = y2 = 0; // no denormal numbers, which are slow
        memory[m] = x1;
        memory[m + 1] = x2;
        memory[m + 2] = y1;
        memory[m + 3] = y2;
      }
    }
  }
}
