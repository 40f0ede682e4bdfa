/* The song on the table: its name, where it stands in numbers, warnings, and the waveform. */

import { byId, icon, make } from "./dom.js";
import { clock, number, signed, words } from "./format.js";
import { store } from "./store.js";
import { WaveView } from "./wave_view.js";

const TILES = [
  ["lufs", "Integrated", "LUFS", 1, "Loudness of the whole song (BS.1770)"],
  ["short_term_max_lufs", "Loudest 3 s", "LUFS", 1, "Largest short-term loudness"],
  ["lra", "Range", "LU", 1, "Loudness range (EBU Tech 3342)"],
  ["true_peak_db", "True peak", "dBTP", 1, "Highest peak between the samples"],
  ["plr_db", "PLR", "dB", 1, "Peak to loudness ratio: true peak less integrated loudness"],
  ["width_db", "Side / mid", "dB", 1, "Level of the sides against the middle"],
  ["correlation", "Correlation", "", 2, "Of left and right: 1 mono, 0 unrelated, below 0 out of phase"],
  ["mono_drop_db", "Mono loss", "dB", 1, "By how much the level falls when both channels are added"],
];
const SIGNED = new Set(["true_peak_db"]);

function tile([key, name, unit, digits, about]) {
  const value = make("b", {});
  const node = make("div", { className: "tile", title: about }, make("dt", {}, name), make("dd", {}, value, unit && make("small", {}, unit)));
  return { node, set: (readings) => (value.textContent = (SIGNED.has(key) ? signed : number)(readings?.[key], digits)) };
}

function noteList() {
  const list = make("ul", { className: "notes" });
  const box = make("details", { className: "more notes-box" }, make("summary", {}), list);
  const update = () => {
    const { song, session } = store;
    const warnings = (song?.warnings ?? []).map((note) => [note, "warning"]);
    const notes = (session?.decided?.notes ?? []).map((note) => [note, "note"]);
    const all = [...warnings, ...notes].filter(([note], i, every) => every.findIndex(([o]) => o.text === note.text) === i);
    list.replaceChildren(...all.map(([note, kind]) => make("li", { className: kind }, kind === "warning" ? icon("warn") : "", make("span", {}, sentence(note.text)))));
    const count = (n, one, many) => (n ? `${n} ${n === 1 ? one : many}` : "");
    box.firstChild.textContent = [count(warnings.length, "warning", "warnings"), count(all.length - warnings.length, "note", "notes")].filter(Boolean).join(", ");
    box.classList.toggle("warned", warnings.length > 0);
    box.hidden = all.length === 0;
  };
  store.on("data decided current songs", update);
  return box;
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

function facts(song) {
  if (song.state !== "ready") return "";
  const channels = { 1: "mono", 2: "stereo" }[song.channels] ?? `${song.channels} channels`;
  const bits = song.bits ? `${song.bits} bits` : "";
  return [clock(song.seconds), `${number(song.sample_rate / 1000, song.sample_rate % 1000 ? 1 : 0)} kHz`, bits, channels].filter(Boolean).join(" · ");
}

function kindText(session) {
  const kinds = Object.entries(session?.decided?.kinds ?? {}).filter(([name]) => name !== "unsure").sort(([, a], [, b]) => b - a);
  if (!kinds.length || kinds[0][1] < 0.2) return "";
  return `sounds like ${words(kinds[0][0])} (${Math.round(100 * kinds[0][1])} %)`;
}

export function buildHeadPanel() {
  const name = make("h2", { id: "song-title" });
  const about = make("span", { className: "facts" });
  const tiles = TILES.map(tile);
  const grid = make("dl", { className: "tiles" }, ...tiles.map(({ node }) => node));
  const wave = new WaveView();
  const wait = make("div", { className: "measuring" }, make("p", {}), make("progress", { max: 1, "aria-label": "Measuring" }));
  const failed = make("p", { className: "alert bad" });
  byId("head").append(make("div", { className: "panel-head" }, name, about), failed, wait, grid, noteList(), wave.node);
  const update = () => {
    const { song } = store;
    if (!song) return;
    name.textContent = song.name;
    name.title = song.name;
    about.textContent = [facts(song), kindText(store.session)].filter(Boolean).join(" · ");
    failed.hidden = song.state !== "failed";
    failed.textContent = song.error ?? "";
    wait.hidden = song.state === "failed" || Boolean(song.waveform);
    wait.firstChild.textContent = song.state === "sending" ? "Sending the file to the studio on this computer…" : `Measuring${song.step ? `: ${song.step}` : ""}…`;
    if (song.share > 0) wait.lastChild.value = song.share;
    else wait.lastChild.removeAttribute("value");
    grid.hidden = !song.readings;
    wave.node.hidden = !song.waveform;
    for (const { set } of tiles) set(song.readings);
    document.body.classList.toggle("measured", Boolean(song.waveform));
    document.body.classList.toggle("failed", song.state === "failed");
    document.title = `${song.name} – Studio`;
  };
  store.on("songs current data decided", update);
}
