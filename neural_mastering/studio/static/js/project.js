/* The project on the server: loaded once, saved after every change, and kept the same in two tabs. */

import { get, getTagged, putTagged } from "./api.js";
import { afterPause, alertUser, same } from "./dom.js";
import { Session } from "./session.js";
import { measured } from "./song_data.js";
import { store } from "./store.js";

let tag = null;
let written = null; // what the server has, as it was written or read
let saving = false;
let again = false;
let missed = null; // a revision that the server told of while a save ran

/** The newest project of the server with what was done here. Which songs there are is the server's to say. */
function asJSON() {
  const songs = written.songs.map((song) => {
    const session = store.sessions.get(song.id);
    return session ? { ...song, ...session.toJSON() } : song;
  });
  const order = store.order.filter((id) => songs.some((song) => song.id === id));
  const slots = Object.fromEntries([...store.sessions].map(([id, session]) => [id, session.slot]));
  return { ...written, songs, order, album: store.album, view: { current: store.currentId, layers: store.view.layers, slots } };
}

/** What was changed here since `last` stays as it is here; the rest is what the server has. */
function merged(last, here, saved) {
  const newer = (before, mine, theirs) => (same(before, mine) ? theirs : mine);
  const keys = Object.keys(saved.settings);
  const settings = Object.fromEntries(keys.map((key) => [key, newer(last.settings[key], here.settings[key], saved.settings[key])]));
  return { ...saved, settings, controls: newer(last.controls, here.controls, saved.controls) };
}

function take(project) {
  const before = written;
  written = project;
  for (const saved of project.songs) {
    const here = store.sessions.get(saved.id);
    const last = before?.songs.find((song) => song.id === saved.id);
    const state = here && last ? merged(last, here, saved) : saved;
    if (here && same({ settings: state.settings, controls: state.controls }, here.state)) continue;
    const fresh = new Session(store.catalogue.defaults, { ...state, slot: here?.slot ?? project.view.slots?.[saved.id] });
    if (here) Object.assign(fresh, { decided: here.decided, decidedFor: here.decidedFor, past: here.past, future: here.future });
    store.sessions.set(saved.id, fresh);
  }
  const known = project.order.filter((id) => store.songs.has(id));
  store.order = [...known, ...store.order.filter((id) => !known.includes(id))];
  store.album = project.album;
  if (!before && project.view.layers) store.view.layers = project.view.layers;
}

export async function loadProject() {
  const { value, tag: came } = await getTagged("/project");
  tag = came;
  take(value);
  return value;
}

/** Saves what was changed; while another save runs, the newest follows it. */
export async function saveNow() {
  if (saving) {
    again = true;
    return;
  }
  saving = true;
  try {
    const project = asJSON();
    if (same(project, written)) return;
    const answer = await putTagged("/project", project, tag);
    if (answer.conflict) {
      await renew();
      again = true;
    } else {
      tag = answer.tag;
      written = answer.value;
      store.emit("saved", true);
    }
  } catch (error) {
    store.emit("saved", false);
    alertUser(error.message);
  } finally {
    const newest = missed;
    [saving, missed] = [false, null];
    if (again) {
      again = false;
      saveSoon();
    }
    if (newest !== null) await follow(newest); // somebody else may have saved meanwhile
  }
}

export const saveSoon = afterPause(saveNow, 300);

/** Something else wrote: another tab, or the server that took in a song. */
async function renew() {
  await loadProject();
  for (const song of await get("/songs")) {
    const isNew = !store.songs.has(song.id);
    store.setSong(song);
    if (isNew) measured(song.id, song.job);
  }
  store.emit("songs");
  store.emit("session");
}

/** Takes over what somebody else saved; while a save runs, the end of it does. */
async function follow(revision) {
  if (saving) missed = revision;
  if (saving || tag?.includes(`"${revision}"`)) return;
  try {
    await renew();
  } catch {
    // the next save says what is wrong
  }
}

function listen() {
  const events = new EventSource("/project/events");
  events.onmessage = ({ data: revision }) => follow(revision);
  addEventListener("pagehide", () => events.close());
}

export function watchProject() {
  store.on("session songs current view album", saveSoon);
  listen();
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && saveNow());
}
