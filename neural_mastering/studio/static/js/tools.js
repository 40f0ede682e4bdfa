/* The bar above: undo, redo, snapshots, colours; and the keys that work everywhere. */

import { announce, byId, iconButton, make } from "./dom.js";
import { SLOTS } from "./session.js";
import { sound } from "./sound.js";
import { store } from "./store.js";
import { themeButton } from "./theme.js";
import { segments } from "./widgets.js";

function step(way) {
  const { session } = store;
  if (!session?.[way]()) return;
  store.emit("session");
  announce(way === "undo" ? "Undone." : "Done again.");
}

function snapshot(name) {
  if (!store.session?.goToSlot(name)) return;
  store.emit("session");
  announce(`Snapshot ${name}.`);
}

export function buildTools() {
  const undo = iconButton("undo", "Undo (Ctrl + Z)", { onclick: () => step("undo") });
  const redo = iconButton("redo", "Redo (Ctrl + Shift + Z)", { onclick: () => step("redo") });
  const slots = segments({
    label: "Snapshots",
    options: SLOTS.map((name) => ({ value: name, text: name, about: `Snapshot ${name}: what you do stays in it` })),
    change: snapshot,
  });
  byId("tools").append(undo, redo, slots.node);
  const saved = make("span", { className: "saved hint", role: "status" });
  byId("project-tools").append(saved, themeButton());
  const update = () => {
    const { session } = store;
    undo.disabled = !session?.past.length;
    redo.disabled = !session?.future.length;
    if (!session) return;
    slots.set(session.slot);
    SLOTS.forEach((name, i) => slots.buttons[i].classList.toggle("filled", name === session.slot || Boolean(session.slots[name])));
  };
  store.on("session current decided", update);
  store.on("saved", (well) => (saved.textContent = well ? "Saved" : "Not saved"));
  update();
}

const typing = (target) => target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea, [contenteditable]");

/** Keys that work wherever nothing is being typed. */
export function watchKeys() {
  const keys = {
    1: () => sound.listen("before"),
    2: () => sound.listen("after"),
    m: () => sound.setMatched(!sound.matched),
    l: () => sound.toggleLoop(),
    e: () => sound.setExact(!sound.exact),
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
      if (typing(event.target)?.dataset.typed !== undefined) return;
      step(key === "y" || event.shiftKey ? "redo" : "undo");
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !store.ready) return;
    if (key === " " && !event.target.closest("button, a, summary, input, [role=radio]")) sound.toggle();
    else if (keys[key]) keys[key]();
    else return;
    event.preventDefault();
  });
}
