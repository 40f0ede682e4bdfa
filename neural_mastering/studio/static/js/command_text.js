/* A command as it is shown: lines end between options, never inside of one. */

import { make } from "./dom.js";

/** Puts a command into an element; what is copied from it is the command itself. */
export function showCommand(node, text) {
  const parts = text.split(/ (?=--?[a-z])/);
  node.replaceChildren(...parts.flatMap((part, i) => (i ? [" ", make("span", { className: "option" }, part)] : [make("span", { className: "option" }, part)])));
}
