/* The samples that the audio thread can reach: a few chunks of the song, put and dropped by the page. */

export class ChunkStore {
  constructor(frames, channels, chunkFrames) {
    this.frames = frames;
    this.channels = channels;
    this.chunkFrames = chunkFrames;
    this.chunks = new Map();
    this.left = 0;
    this.right = 0;
    this.index = -1; // of the chunk that was read last
    this.chunk = undefined;
  }

  put(index, samples) {
    this.chunks.set(index, samples);
    this.index = -1;
  }

  drop(indices) {
    for (const index of indices) this.chunks.delete(index);
    this.index = -1;
  }

  /** Whether all samples from `start` to before `stop` are here; beyond the song's ends nothing is missing. */
  has(start, stop) {
    const last = Math.floor((Math.min(stop, this.frames) - 1) / this.chunkFrames);
    for (let index = Math.floor(Math.max(start, 0) / this.chunkFrames); index <= last; index++) {
      if (!this.chunks.has(index)) return false;
    }
    return true;
  }

  /** Put a frame into `left` and `right`: silence where there is none. */
  read(frame) {
    const index = Math.floor(frame / this.chunkFrames);
    if (index !== this.index) {
      this.index = index;
      this.chunk = this.chunks.get(index);
    }
    const at = (frame - index * this.chunkFrames) * this.channels;
    if (this.chunk === undefined || at + this.channels > this.chunk.length) {
      this.left = this.right = 0;
      return;
    }
    this.left = this.chunk[at];
    this.right = this.channels === 2 ? this.chunk[at + 1] : this.left;
  }
}
