/* The songs of the project: drop, order, choose, remove. */

import { get, put, remove } from "./api.js";
import { alertUser, announce, byId, icon, iconButton, make } from "./dom.js";
import { clock, number } from "./format.js";
import { dropZone, filePicker } from "./file_picker.js";
import { openProject, PROJECT, projectPicker } from "./project_file.js";
import { addFiles, pending } from "./song_data.js";
import { store } from "./store.js";
import { heading } from "./widgets.js";

async function reorder(from, to) {
  const order = [...store.order];
  order.splice(to, 0, ...order.splice(from, 1));
  store.order = order;
  store.emit("songs");
  announce(`Moved to place ${to + 1} of ${order.length}.`);
  try {
    await put("/songs/order", order.filter((id) => !pending(store.songs.get(id)) || store.songs.get(id).state !== "sending"));
  } catch (error) {
    alertUser(error.message);
  }
}

async function drop(id) {
  const song = store.songs.get(id);
  try {
    if (song.state !== "sending") await remove(`/songs/${id}`);
    store.removeSong(id);
    announce(`${song.name} was removed from the project. The file on disk stays.`);
    byId("songs").querySelector("[aria-current=true]")?.focus();
  } catch (error) {
    alertUser(error.message);
  }
}

function status(song) {
  if (song.state === "sending") return `Sending ${Math.round(100 * (song.share ?? 0))} %`;
  if (song.state === "measuring") return song.step ? `Measuring: ${song.step}` : "Measuring…";
  if (song.state === "failed") return song.error ?? "It can't be read.";
  const lufs = song.readings?.lufs;
  return [song.seconds && clock(song.seconds), Number.isFinite(lufs) && `${number(lufs)} LUFS`].filter(Boolean).join(" · ");
}

function row(id) {
  const select = make("button", { type: "button", className: "song-name", onclick: () => store.select(id) });
  const name = make("span", { className: "name" });
  const line = make("small", {});
  const bar = make("progress", { max: 1, "aria-label": "Progress" });
  select.append(name, line);
  const place = () => store.order.indexOf(id);
  const move = (way) => {
    const to = place() + way;
    if (to < 0 || to >= store.order.length) return;
    reorder(place(), to);
    select.focus();
  };
  select.addEventListener("keydown", (event) => {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Delete") drop(id);
    else if (way && event.altKey) move(way);
    else if (way) store.order[place() + way] && rowButton(store.order[place() + way])?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const tools = make("span", { className: "song-tools" },
    iconButton("up", "Move up", { onclick: () => move(-1) }),
    iconButton("down", "Move down", { onclick: () => move(1) }),
    iconButton("close", "Remove from the project", { onclick: () => drop(id) }));
  const node = make("li", { className: "song-row", "data-id": id, draggable: true }, select, tools, bar);
  node.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/x-song", id);
    event.dataTransfer.effectAllowed = "move";
    node.classList.add("moving");
  });
  node.addEventListener("dragend", () => node.classList.remove("moving"));
  const carriesSong = (event) => [...event.dataTransfer.types].includes("text/x-song");
  node.addEventListener("dragover", (event) => {
    if (!carriesSong(event)) return;
    event.preventDefault();
    node.classList.add("over");
  });
  node.addEventListener("dragleave", () => node.classList.remove("over"));
  node.addEventListener("drop", (event) => {
    node.classList.remove("over");
    if (!carriesSong(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const from = store.order.indexOf(event.dataTransfer.getData("text/x-song"));
    if (from >= 0 && from !== place()) reorder(from, place());
  });
  const update = () => {
    const song = store.songs.get(id);
    name.textContent = song.name;
    select.title = song.error ?? song.name;
    line.textContent = status(song);
    line.className = song.state === "failed" ? "bad" : "";
    bar.hidden = !pending(song);
    if (song.share > 0) bar.value = song.share;
    else bar.removeAttribute("value");
    select.setAttribute("aria-current", id === store.currentId);
    tools.children[0].disabled = place() === 0;
    tools.children[1].disabled = place() === store.order.length - 1;
  };
  return { node, update };
}

const rowButton = (id) => byId("songs").querySelector(`[data-id="${CSS.escape(id)}"] .song-name`);

export function buildSongPanel() {
  const list = make("ol", { className: "song-list", "aria-label": "Songs, in album order" });
  const add = filePicker("Add songs", { take: (files) => addFiles(files) });
  const hint = make("p", { className: "hint" }, "Drag to order; Alt + ↑ ↓ by keyboard.");
  const rows = new Map();
  byId("songs").append(heading("songs-title", "Songs", add), list, hint);
  const update = () => {
    for (const id of rows.keys()) if (!store.order.includes(id)) rows.delete(id);
    for (const id of store.order) if (!rows.has(id)) rows.set(id, row(id));
    const nodes = store.order.map((id) => rows.get(id).node);
    if (nodes.length !== list.children.length || nodes.some((node, i) => list.children[i] !== node)) list.replaceChildren(...nodes);
    for (const { update: renew } of rows.values()) renew();
    hint.hidden = store.order.length < 2;
    document.body.classList.toggle("empty", store.order.length === 0);
    document.body.classList.toggle("album", store.order.length > 1);
  };
  store.on("songs current", update);
  update();
}

/** What is shown before the first song. */
export function buildWelcome() {
  const box = make("div", { className: "welcome-box" },
    icon("file"),
    make("h2", { id: "welcome-title" }, "Drop a mix here"),
    make("p", {}, "One song, or several for an album. WAV, FLAC, AIFF, OGG, MP3 and whatever ffmpeg reads."),
    filePicker("Choose files", { className: "primary", take: (files) => addFiles(files) }),
    projectPicker("or open a project", "link"),
    make("p", { className: "hint" }, "Nothing leaves this computer. Everything is saved as you go."));
  byId("welcome").append(box);
  dropZone(document.body, (files) => openDropped(files));
}

/** Songs are added; a project file is opened. */
async function openDropped(files) {
  const projects = files.filter((file) => file.name.endsWith(PROJECT));
  const songs = files.filter((file) => !projects.includes(file));
  if (projects.length) await openProject(projects[0]);
  if (songs.length) await addFiles(songs);
}

export async function loadSongs() {
  for (const song of await get("/songs")) store.setSong(song);
}
