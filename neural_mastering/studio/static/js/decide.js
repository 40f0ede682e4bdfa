/* Asks the server to decide when the settings have changed; keeps what was decided. */

import { work } from "./api.js";
import { afterPause, alertUser, announce, clone } from "./dom.js";
import { corridorOf } from "./corridor.js";
import { soundKey } from "./session.js";
import { store } from "./store.js";

const cache = new Map();
const MOST = 64;
let running = null;

function keep(key, value) {
  cache.set(key, value);
  if (cache.size > MOST) cache.delete(cache.keys().next().value);
  return value;
}

function stop() {
  running?.abort.abort();
  running = null;
}

/** Decides for the song on the table, unless the answer is known. */
async function decideNow() {
  const { song, session, currentId: id } = store;
  if (!song?.spectrum || !session) return;
  const key = id + JSON.stringify(session.settings);
  if (running?.key === key) return;
  stop();
  if (cache.has(key)) return settle(session, key);
  const abort = new AbortController();
  running = { key, abort };
  const asked = session.settings;
  const quiet = session.decidedFor !== null && soundKey(asked) === soundKey(session.decidedFor); // only the delivery is decided anew
  store.deciding = { quiet };
  store.emit("deciding");
  try {
    const progress = (state) => {
      store.deciding = { ...state, quiet };
      store.emit("deciding");
    };
    const decided = await work(`/songs/${id}/decide`, asked, { signal: abort.signal, progress });
    keep(key, decided);
    if (running?.key === key) settle(session, key);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (running?.key === key) stop();
    store.deciding = null;
    store.emit("deciding");
    alertUser(error.message);
  }
}

function settle(session, key) {
  running = null;
  store.deciding = null;
  const { decided: old, decidedFor } = session;
  session.decided = cache.get(key);
  session.decidedFor = clone(session.settings);
  store.emit("deciding");
  if (session.decided === old) return;
  if (decidedFor && soundKey(decidedFor) === soundKey(session.decidedFor)) session.decided.corridor ??= old?.corridor;
  else announce(`Decided: ${session.decided.controls.eq.length} equaliser bands.`);
  store.emit("decided");
  if (!session.decided.corridor) void addCorridor(session, session.decided);
}

/** The corridor comes after the curve: comparing may take longer than deciding. */
async function addCorridor(session, decided) {
  decided.corridor ??= await corridorOf(store.currentId, session.settings, decided);
  if (store.session?.decided === decided) store.emit("decided");
}

const decideSoon = afterPause(decideNow, 120);

/** Puts a result there that the server gave elsewhere (proposals), so that it isn't computed again. */
export function rememberDecision(id, settings, decided) {
  const key = id + JSON.stringify(settings);
  if (!cache.has(key)) keep(key, decided);
}

export function watchDecisions() {
  store.on("session", decideSoon);
  store.on("current data", () => void decideNow());
}
