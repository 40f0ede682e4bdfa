/* Makes the engine a player for the blind tests of listening.js (a plain script that the page loads before). */

export class ListeningPlayer {
  /** `root` holds an element .test; `sources` are [{ name, listen }, …] with what `engine.listen` takes;
      `show({ order, names, button })` draws a button for each source in this order, under hidden names in a test. */
  constructor(root, engine, sources, { song, matchedLufs, show }) {
    this.root = root;
    this.engine = engine;
    this.sources = sources;
    this.song = song;
    this.data = { matched_lufs: matchedLufs };
    this.draw = show;
    this.test = null;
    this.names = null;
    this.order = sources.map((_, i) => i);
    this.button = 0;
    this.heardS = sources.map(() => 0);
    this.switches = 0;
    this.since = engine.context.currentTime;
    this.wasPlaying = engine.isPlaying;
    engine.on("position", () => this.count());
    engine.on("ended", () => this.count());
  }

  get heard() {
    return this.order[this.button];
  }

  /** Hear the source behind a button; the position stays. */
  select(button) {
    if (button < 0 || button >= this.order.length) return;
    this.count();
    if (this.names || this.order[button] !== this.heard) this.switches++;
    this.button = button;
    this.engine.listen(this.sources[this.heard].listen);
    this.show();
  }

  /** Buttons for the sources in this order; with names, nothing tells which source is which. */
  arrange(order, names = null, button = 0) {
    this.count();
    this.order = order;
    this.names = names;
    this.button = button;
    this.engine.listen(this.sources[this.heard].listen);
    this.show();
  }

  /** Add what was heard since the last time. */
  count() {
    const now = this.engine.context.currentTime;
    if (this.wasPlaying) this.heardS[this.heard] += now - this.since;
    this.since = now;
    this.wasPlaying = this.engine.isPlaying;
  }

  reset() {
    this.count();
    this.heardS.fill(0);
    this.switches = 0;
  }

  show() {
    this.draw({ order: this.order, names: this.names, button: this.button });
  }
}
