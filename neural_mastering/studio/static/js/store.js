/* The one place that knows which songs are open and which is on the table; panels listen to its topics. */

import { Session } from "./session.js";

/** Topics: "songs" (list or states), "current" (another song), "data" (its measurements came), "session" (settings or
    controls changed), "album", "decided", "deciding", "sections", "view", "saved". */
class Store {
  constructor() {
    this.listeners = new Map();
    this.catalogue = null;
    this.songs = new Map(); // id → what the server says of it, with the data that were loaded
    this.order = [];
    this.sessions = new Map();
    this.currentId = null;
    this.view = { solo: null, layers: { spectrum: true, balance: true }, bypass: [] };
    this.band = 0;
    this.sections = null;
    this.deciding = null; // {step, share} while the server decides
    this.album = {};
  }

  on(topics, act) {
    for (const topic of topics.split(" ")) {
      if (!this.listeners.has(topic)) this.listeners.set(topic, []);
      this.listeners.get(topic).push(act);
    }
  }

  emit(topic, detail) {
    for (const act of this.listeners.get(topic) ?? []) act(detail, topic);
  }

  get song() {
    return this.songs.get(this.currentId) ?? null;
  }

  get session() {
    return this.currentId ? this.sessionOf(this.currentId) : null;
  }

  get ready() {
    return this.song?.state === "ready";
  }

  sessionOf(id) {
    if (!this.sessions.has(id)) this.sessions.set(id, new Session(this.catalogue.defaults));
    return this.sessions.get(id);
  }

  select(id) {
    if (id === this.currentId) return;
    this.currentId = id;
    this.band = 0;
    this.sections = null;
    this.view.solo = null;
    this.emit("current");
  }

  /** Adds or renews what is known of a song. */
  setSong(record) {
    const song = { ...this.songs.get(record.id), ...record };
    this.songs.set(record.id, song);
    if (!this.order.includes(record.id) && song.role !== "reference") this.order.push(record.id);
    this.emit("songs");
  }

  removeSong(id) {
    this.songs.delete(id);
    this.sessions.delete(id);
    this.order = this.order.filter((other) => other !== id);
    if (this.currentId === id) this.select(this.order[0] ?? null);
    this.emit("songs");
  }

  editSettings(change, key) {
    const discarded = this.session.editSettings(change, key);
    this.emit("session");
    return discarded;
  }

  editControls(change, key) {
    this.session.editControls(change, key);
    this.emit("session");
  }

  editAlbum(change) {
    this.album = { ...this.album, ...change };
    this.emit("album");
  }

  setView(change) {
    Object.assign(this.view, change);
    this.emit("view");
  }

  selectBand(index) {
    if (index === this.band) return;
    this.band = index;
    this.emit("view");
  }
}

export const store = new Store();
