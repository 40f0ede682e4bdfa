/* What an album has beside its songs: silence between them, and a table of titles, order and codes. */

import { announce, iconButton, make } from "./dom.js";
import { filePicker } from "./file_picker.js";
import { store } from "./store.js";
import { check, more, numberField } from "./widgets.js";

const GAP_S = 2;

/** What `/album/render` takes of it. */
export const albumRequest = () => ({ gap_s: store.album.gap_s ?? null, info: store.album.info ?? "" });

export function albumFields() {
  const edit = (change) => store.editAlbum(change);
  const gap = numberField({ label: "Silence between songs", unit: "s", low: 0, high: 60, digits: 2, step: 0.5, change: (gap_s) => edit({ gap_s }) });
  const own = check({ label: "Set the gaps", about: "Otherwise they stay as the songs have them", change: (on) => edit({ gap_s: on ? GAP_S : null }) });
  const name = make("span", { className: "name" });
  const away = iconButton("close", "Forget the table", { onclick: () => edit({ info: "", info_name: "" }) });
  const table = make("div", { className: "pair" }, name, away);
  const pick = filePicker("Titles and codes (CSV) …", {
    multiple: false,
    className: "quiet",
    accept: ".csv,text/csv",
    take: async ([file]) => {
      edit({ info: await file.text(), info_name: file.name });
      announce(`${file.name} gives titles and order.`);
    },
  });
  const node = more("Album", make("div", { className: "pair" }, own.node, gap.node), pick, table);
  store.on("songs session current album", () => {
    const { gap_s: seconds, info, info_name: shown } = store.album;
    node.hidden = store.order.length < 2;
    own.set(Number.isFinite(seconds));
    gap.node.hidden = !Number.isFinite(seconds);
    gap.set(seconds);
    table.hidden = !info;
    name.textContent = shown ?? "";
  });
  return node;
}
