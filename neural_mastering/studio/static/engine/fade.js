/* A gain that goes from where it is to where it should be in a straight line, and is exactly there at its end. */

export class Fade {
  constructor(value) {
    this.now = this.aim = value;
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
