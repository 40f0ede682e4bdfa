/* Dark and light: the system's, or the one that was chosen here; and the colours that canvases draw with. */

import { iconButton, make } from "./dom.js";

const KEY = "studio-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const probe = make("span", { hidden: true });
let known = new Map();
const listeners = [];

/** A token of tokens.css as a colour that a canvas takes. */
export function colour(token) {
  if (!known.has(token)) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${token})`;
    known.set(token, getComputedStyle(probe).color);
  }
  return known.get(token);
}

/** The same with an opacity. */
export function shade(token, opacity) {
  return `color-mix(in srgb, ${colour(token)} ${(100 * opacity).toFixed(1)}%, transparent)`;
}

export const onTheme = (act) => listeners.push(act);

function changed() {
  known = new Map();
  for (const act of listeners) act();
}

function stored() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

function apply(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  changed();
}

export function themeButton() {
  let theme = stored();
  const node = iconButton("theme", "", {
    onclick: () => {
      theme = NEXT[theme];
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // the choice lasts as long as the page
      }
      apply(theme);
      tell();
    },
  });
  const tell = () => {
    const text = `Colours: ${{ auto: "as the system", light: "light", dark: "dark" }[theme]}`;
    node.title = text;
    node.setAttribute("aria-label", text);
  };
  apply(theme);
  tell();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  return node;
}
