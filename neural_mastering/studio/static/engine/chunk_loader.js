/* Which chunks of the song the audio thread should hold: what comes next, where it may jump, and little else. */

export const CHUNK_FRAMES = 1 << 15;
const AHEAD = 4; // chunks behind the one that is heard
const MOST = 16; // chunks in memory: 4 MiB of stereo, however long the song
const AT_ONCE = 2; // requests under way
const RETRY_MS = 500;

export class ChunkLoader {
  /** `fetchPcm(start, frames, signal)` gives interleaved float32; `deliver(index, samples)` and `drop(indices)` take it away. */
  constructor(frames, channels, fetchPcm, { deliver, drop, failed }) {
    this.frames = frames;
    this.channels = channels;
    this.fetchPcm = fetchPcm;
    this.deliver = deliver;
    this.drop = drop;
    this.failed = failed;
    this.here = new Map(); // index → when it was wanted last
    this.loading = new Map(); // index → its AbortController
    this.wanted = [];
    this.turn = 0;
    this.isClosed = false;
  }

  /** Make sure that what is heard from these frames on is there, the first ones first. */
  want(frames, loop = null) {
    const chunks = Math.ceil(this.frames / CHUNK_FRAMES);
    const wanted = new Set();
    for (const frame of frames) {
      const first = Math.floor(frame / CHUNK_FRAMES);
      for (let index = first; index <= first + AHEAD; index++) wanted.add(index);
    }
    if (loop) {
      const first = Math.floor(loop.start / CHUNK_FRAMES);
      for (const index of [first, first + 1, Math.floor(loop.stop / CHUNK_FRAMES)]) wanted.add(index);
    }
    this.wanted = [...wanted].filter((index) => index >= 0 && index < chunks);
    this.turn++;
    for (const index of this.wanted) if (this.here.has(index)) this.here.set(index, this.turn);
    for (const [index, controller] of this.loading) if (!wanted.has(index)) controller.abort();
    this.fill();
  }

  /** Everything that is wanted is there. */
  get isFull() {
    return this.wanted.every((index) => this.here.has(index));
  }

  fill() {
    if (this.isClosed) return;
    for (const index of this.wanted) {
      if (this.loading.size >= AT_ONCE) return;
      if (!this.here.has(index) && !this.loading.has(index)) this.load(index);
    }
  }

  async load(index) {
    const controller = new AbortController();
    this.loading.set(index, controller);
    let wait = 0;
    try {
      const start = index * CHUNK_FRAMES;
      const frames = Math.min(CHUNK_FRAMES, this.frames - start);
      const samples = new Float32Array(await this.fetchPcm(start, frames, controller.signal));
      if (samples.length !== frames * this.channels) {
        throw new Error(`expected ${frames} samples of the song from ${start} on, got ${samples.length / this.channels}`);
      }
      if (!controller.signal.aborted && !this.isClosed) {
        this.makeRoom();
        this.here.set(index, this.turn);
        this.deliver(index, samples);
      }
    } catch (error) {
      if (!controller.signal.aborted && !this.isClosed) {
        this.failed(error);
        wait = RETRY_MS;
      }
    } finally {
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      this.loading.delete(index);
      this.fill();
    }
  }

  /** Forget what was wanted longest ago, never what is wanted now. */
  makeRoom() {
    const old = [...this.here].filter(([index]) => !this.wanted.includes(index)).sort((a, b) => a[1] - b[1]);
    const gone = old.slice(0, Math.max(this.here.size + 1 - MOST, 0)).map(([index]) => index);
    for (const index of gone) this.here.delete(index);
    if (gone.length) this.drop(gone);
  }

  close() {
    this.isClosed = true;
    for (const controller of this.loading.values()) controller.abort();
  }
}
