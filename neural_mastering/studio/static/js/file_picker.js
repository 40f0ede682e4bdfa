/* Files of the person: chosen in the computer's own dialogue, or dropped. */

import { button, make } from "./dom.js";

const ACCEPT = "audio/*,.wav,.flac,.aif,.aiff,.ogg,.opus,.mp3,.m4a,.aac,.wma,.mp4,.mka";

/** A button that opens the computer's own file dialogue. */
export function filePicker(label, { multiple = true, className = "", take, accept = ACCEPT }) {
  const input = make("input", { type: "file", accept, multiple, hidden: true });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    take(files);
  });
  return make("span", { className: "picker" }, button(label, { className, onclick: () => input.click() }), input);
}

const zones = [];
document.addEventListener("drop", () => zones.forEach((leave) => leave()), { capture: true });

/** Lets files be dropped on an element. */
export function dropZone(node, take) {
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const enter = (change) => {
    depth = Math.max(0, depth + change);
    node.classList.toggle("dropping", depth > 0);
  };
  zones.push(() => enter(-depth));
  node.addEventListener("dragenter", (event) => carriesFiles(event) && enter(1));
  node.addEventListener("dragleave", (event) => carriesFiles(event) && enter(-1));
  node.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  node.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    take([...event.dataTransfer.files]);
  });
}
