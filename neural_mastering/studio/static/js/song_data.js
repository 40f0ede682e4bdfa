/* What a song measures, loaded as it is needed: readings, waveform, spectrum, and how it compares with a style. */

import { binary, follow, get, Gone, upload } from "./api.js";
import { alertUser, announce } from "./dom.js";
import { store } from "./store.js";
import { decodeWaveform } from "./waveform.js";

/** Sends files and measures them, one after the other; the first is put on the table. */
export async function addFiles(files, role = "song") {
  const added = [];
  for (const file of files) {
    try {
      added.push(await addFile(file, role));
    } catch (error) {
      const names = error.message.startsWith(file.name) || error instanceof Gone;
      alertUser(names ? error.message : `${file.name}: ${error.message}`);
    }
  }
  return added;
}

async function addFile(file, role) {
  const waiting = `sending-${crypto.randomUUID()}`;
  const shown = { id: waiting, name: file.name, state: "sending", share: 0, role };
  store.setSong(shown);
  try {
    const progress = (share) => store.setSong({ id: waiting, share });
    const { id, job } = await upload(file, { role, progress });
    const known = store.songs.has(id);
    store.order = store.order.map((other) => (other === waiting ? id : other)).filter((x, i, all) => all.indexOf(x) === i);
    store.songs.delete(waiting);
    store.setSong({ id, name: file.name, role, ...(known ? {} : { state: "measuring", share: 0 }) });
    if (role === "song" && (!store.currentId || !store.song)) store.select(id);
    measured(id, job?.id ?? job);
    return id;
  } catch (error) {
    store.songs.delete(waiting);
    store.order = store.order.filter((other) => other !== waiting);
    store.emit("songs");
    throw error;
  }
}

let last = Promise.resolve();

/** Waits until a song is measured, then loads what it measures; one song after the other, since a browser holds six
    connections to a server and each job that is followed takes one. */
export function measured(id, job) {
  last = last.then(() => measuredNow(id, job));
  return last;
}

async function measuredNow(id, job) {
  try {
    if (job) await follow(job, { progress: ({ step, share }) => store.setSong({ id, step, share }) });
    await loadSong(id);
    announce(`${store.songs.get(id)?.name} is measured.`);
  } catch (error) {
    if (!store.songs.has(id)) return;
    store.setSong({ id, state: "failed", error: error.message });
    if (id === store.currentId) store.emit("data");
  }
}

/** Readings of a song; its pictures only while it is on the table, so that a long album opens at once. */
export async function loadSong(id) {
  const record = await get(`/songs/${id}`);
  store.setSong(record);
  if (record.state === "measuring") setTimeout(() => loadSong(id).catch(() => {}), 500);
  if (record.state === "ready" && id === store.currentId) await loadPictures(id);
}

async function loadPictures(id) {
  if (store.songs.get(id).waveform) return;
  const [waveform, spectrum] = await Promise.all([binary(`/songs/${id}/waveform`), get(`/songs/${id}/spectrum`)]);
  store.setSong({ id, waveform: decodeWaveform(waveform), spectrum });
  if (id === store.currentId) store.emit("data");
}

export function watchSongData() {
  store.on("current", () => {
    const { song } = store;
    if (song?.state === "ready" && song.readings) loadPictures(song.id).catch((error) => alertUser(error.message));
  });
}

export const pending = (song) => song.state === "measuring" || song.state === "sending";
