/* Elements, icons and small helpers that every panel uses. */

/** An element with properties (aria-* and data-* become attributes, on* listeners) and children. */
export function make(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role" || key === "for") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

const PATHS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  undo: "M8 5 3.5 9.5 8 14M4 9.5h10a5.5 5.5 0 0 1 0 11h-3",
  redo: "m16 5 4.5 4.5L16 14M20 9.5H10a5.5 5.5 0 0 0 0 11h3",
  loop: "M4 12V9a3 3 0 0 1 3-3h11m0 0-3-3m3 3-3 3M20 12v3a3 3 0 0 1-3 3H6m0 0 3 3m-3-3 3-3",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  up: "m6 14 6-6 6 6",
  down: "m6 10 6 6 6-6",
  left: "m14 6-6 6 6 6",
  right: "m10 6 6 6-6 6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  power: "M12 3v8M7 6.3a7.5 7.5 0 1 0 10 0",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  warn: "M12 4 2.5 20h19zM12 10v4.5M12 17.2h.01",
  volume: "M4 10v4h3l5 4V6L7 10zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11",
};
const SVG = "http://www.w3.org/2000/svg";

/** A drawing beside or instead of a text; never read aloud. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function button(label, properties = {}, ...children) {
  return make("button", { type: "button", ...properties }, ...(children.length ? children : [label]));
}

/** A button that shows only a drawing; its label is read aloud and shown as a tooltip. */
export function iconButton(name, label, properties = {}) {
  return button(label, { "aria-label": label, title: label, className: "icon-button", ...properties }, icon(name));
}

let numbered = 0;
export const uniqueId = (stem) => `${stem}-${++numbered}`;

/** Runs `draw` at most once a frame, however often it is asked. */
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Runs `act` when nothing asked for `ms`; the newest arguments count. */
export function afterPause(act, ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), ms);
  };
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const clone = (value) => (value === undefined ? undefined : structuredClone(value));
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

let spoken = 0;
/** Says something to a screen reader without moving the focus. */
export function announce(text) {
  const region = byId("live");
  clearTimeout(spoken);
  region.textContent = "";
  spoken = setTimeout(() => (region.textContent = text), 60);
}

/** Shows one plain sentence until it is closed; the same sentence is shown once. */
export function alertUser(text, kind = "bad") {
  const box = byId("alerts");
  for (const shown of box.children) if (shown.dataset.text === text) return;
  const node = make("p", { className: `alert ${kind}`, "data-text": text }, icon("warn"), make("span", {}, text));
  node.append(iconButton("close", "Dismiss", { onclick: () => node.remove() }));
  box.append(node);
  while (box.children.length > 3) box.firstChild.remove();
}
