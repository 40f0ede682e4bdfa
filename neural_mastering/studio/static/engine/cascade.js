/* Second-order sections whose coefficients glide, in float64. Direct form 1: the state of a section is its signals,
   which stay what they are while coefficients move. Coefficients follow their aims through two one-pole filters, so
   that there is no corner where a move begins, ends or turns; they are weighted means of aims, and a weighted mean of
   stable sections is stable. */

const COEFFICIENTS = 5; // b0, b1, b2, a1, a2
const MEMORY = 4; // x1, x2, y1, y2
const SILENT = 1e-30;
const ARRIVED = 20; // time constants until a move is over: 4e-8 of it is left

/** How numbers glide at a sample rate: { factor, samples }. */
export function gliding(timeConstantS, rate) {
  return { factor: 1 - Math.exp(-1 / (timeConstantS * rate)), samples: Math.ceil(ARRIVED * timeConstantS * rate) };
}

/** One number that glides. */
export class Follower {
  constructor(value) {
    this.now = this.middle = this.aim = value;
    this.left = 0;
    this.factor = 0;
  }

  to(value, glide) {
    this.aim = value;
    this.left = glide ? glide.samples : 0;
    if (glide) this.factor = glide.factor;
    else this.now = this.middle = value;
  }

  next() {
    if (this.left > 0) {
      this.left--;
      this.middle += this.factor * (this.aim - this.middle);
      this.now += this.factor * (this.middle - this.now);
      if (this.left === 0) this.now = this.middle = this.aim;
    }
    return this.now;
  }
}

/** Sections in series, the same for each of some signals. One that does nothing is always there: it remembers. */
export class Cascade {
  constructor(signals) {
    this.signals = signals;
    this.slots = 0;
    this.left = 0;
    this.now = new Float64Array(0);
    this.middle = new Float64Array(0);
    this.aim = new Float64Array(0);
    this.factor = 0;
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
    for (const name of ["now", "middle", "aim"]) this[name] = wider(this[name], slots * COEFFICIENTS);
    const stride = this.signals * MEMORY;
    this.memory = wider(this.memory, slots * stride);
    for (let k = this.slots; k < slots; k++) {
      for (const array of [this.now, this.middle, this.aim]) {
        array.fill(0, k * COEFFICIENTS, (k + 1) * COEFFICIENTS);
        array[k * COEFFICIENTS] = 1;
      }
      for (let s = 0; k > 0 && s < this.signals; s++) {
        const to = k * stride + s * MEMORY;
        const from = to - stride;
        for (let i = 0; i < MEMORY; i++) this.memory[to + i] = this.memory[from + 2 + (i % 2)];
      }
    }
    this.slots = slots;
  }

  /** Glide to `rows` of five coefficients, or be there at once; sections that are no more fade into nothing done. */
  glideTo(rows, glide) {
    if (rows.length > this.slots) this.grow(rows.length);
    for (let k = 0; k < this.slots; k++) {
      for (let i = 0; i < COEFFICIENTS; i++) {
        this.aim[k * COEFFICIENTS + i] = k < rows.length ? rows[k][i] : i === 0 ? 1 : 0;
      }
    }
    this.left = glide ? glide.samples : 0;
    if (glide) this.factor = glide.factor;
    else this.arrive();
  }

  arrive() {
    this.left = 0;
    this.now.set(this.aim);
    this.middle.set(this.aim);
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
    const moving = Math.min(this.left, count);
    if (moving > 0) {
      for (let k = 0; k < this.slots; k++) this.runMoving(k, first, second, moving);
      this.left -= moving;
      if (this.left === 0) this.arrive();
    }
    if (moving === count) return;
    for (let k = 0; k < this.slots; k++) {
      this.run(k, 0, first, moving, count);
      if (this.signals === 2) this.run(k, 1, second, moving, count);
    }
  }

  run(slot, s, signal, from, to) {
    const { now, memory } = this;
    const c = slot * COEFFICIENTS;
    const m = (slot * this.signals + s) * MEMORY;
    const b0 = now[c];
    const b1 = now[c + 1];
    const b2 = now[c + 2];
    const a1 = now[c + 3];
    const a2 = now[c + 4];
    let x1 = memory[m];
    let x2 = memory[m + 1];
    let y1 = memory[m + 2];
    let y2 = memory[m + 3];
    for (let i = from; i < to; i++) {
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

  runMoving(slot, first, second, count) {
    const { now, middle, aim, factor, memory, signals } = this;
    const c = slot * COEFFICIENTS;
    const m = slot * signals * MEMORY;
    for (let i = 0; i < count; i++) {
      for (let j = c; j < c + COEFFICIENTS; j++) {
        middle[j] += factor * (aim[j] - middle[j]);
        now[j] += factor * (middle[j] - now[j]);
      }
      for (let s = 0; s < signals; s++) {
        const signal = s === 0 ? first : second;
        const at = m + s * MEMORY;
        const x = signal[i];
        const y =
          now[c] * x + now[c + 1] * memory[at] + now[c + 2] * memory[at + 1] - now[c + 3] * memory[at + 2] - now[c + 4] * memory[at + 3];
        memory[at + 1] = memory[at];
        memory[at] = x;
        memory[at + 3] = memory[at + 2];
        memory[at + 2] = y;
        signal[i] = y;
      }
    }
  }
}
