/* The page begins here: what the studio offers, the project, then every panel. */

import { get } from "./api.js";
import { watchDecisions } from "./decide.js";
import { buildDeliverPanel } from "./deliver_panel.js";
import { alertUser } from "./dom.js";
import { buildEqPanel } from "./eq_panel.js";
import { buildHeadPanel } from "./head_panel.js";
import { watchSections } from "./live.js";
import { loadProject, watchProject } from "./project.js";
import { loadSong, watchSongData } from "./song_data.js";
import { buildSongPanel, buildWelcome, loadSongs } from "./song_panel.js";
import { sound, watchSound } from "./sound.js";
import { buildSoundPanel } from "./sound_panel.js";
import { buildStagePanel } from "./stage_panel.js";
import { buildStandingPanel } from "./standing_panel.js";
import { store } from "./store.js";
import { buildTools, watchKeys } from "./tools.js";
import { buildTransport } from "./transport.js";

/** The song on the table first, then the others. */
async function loadAll() {
  const ids = [store.currentId, ...[...store.songs.keys()].filter((id) => id !== store.currentId)];
  for (const id of ids.filter((each) => store.songs.has(each)))
    await loadSong(id).catch((error) => store.songs.has(id) && store.setSong({ id, state: "failed", error: error.message }));
}

async function start() {
  const [catalogue] = await Promise.all([get("/catalogue"), loadSongs()]);
  store.catalogue = catalogue;
  const project = await loadProject();
  watchSections(); // first of all that hear of a change: a drag is to be heard before it is drawn
  watchSound();
  buildSongPanel();
  buildWelcome();
  buildTools();
  buildHeadPanel();
  buildStandingPanel();
  buildSoundPanel();
  buildEqPanel();
  buildStagePanel();
  buildDeliverPanel();
  buildTransport();
  watchSongData();
  watchDecisions();
  watchKeys();
  const remembered = project.view?.current;
  store.select(store.songs.has(remembered) ? remembered : (store.order[0] ?? null));
  store.emit("songs");
  watchProject();
  document.body.classList.remove("starting");
  await loadAll();
}

globalThis.studio = { store, sound }; // for tests, and for the curious
start().catch((error) => {
  document.body.classList.remove("starting");
  alertUser(error.message);
});
