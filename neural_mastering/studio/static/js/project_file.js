/* The project as a file of one's own: saved, and opened again. */

import { save, sendText } from "./api.js";
import { alertUser, announce, button, make } from "./dom.js";
import { filePicker } from "./file_picker.js";
import { saveNow } from "./project.js";

export const PROJECT = ".nmstudio";

/** Takes over the states of a project file; songs that aren't here have to be added first. */
export async function openProject(file) {
  try {
    await saveNow(); // what was done here comes before what the file says
    const { missing } = await (await sendText("/project/open", await file.text())).json();
    if (missing.length) {
      const names = missing.map(({ name }) => name).join(", ");
      alertUser(`${file.name} also holds ${names}: add ${missing.length === 1 ? "this song" : "these songs"}, then open it again.`, "warn");
    } else announce(`${file.name} is open.`);
  } catch (error) {
    alertUser(`${file.name}: ${error.message}`);
  }
}

export const projectPicker = (label, className) =>
  filePicker(label, { accept: `${PROJECT},application/json`, multiple: false, className, take: ([file]) => file && openProject(file) });

async function keep() {
  try {
    await saveNow();
    await save("/project/file", undefined, `project${PROJECT}`);
  } catch (error) {
    alertUser(error.message);
  }
}

export function projectButtons() {
  const file = button("Save project file", { className: "quiet", onclick: keep });
  return make("div", { className: "actions project-file" }, file, projectPicker("Open a project file", "quiet"));
}
