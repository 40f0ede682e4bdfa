/* The list of songs, sortable columns, and the start of everything. */

class SongList {
  constructor(root) {
    this.box = root.querySelector(".songs");
    this.songs = [...this.box.querySelectorAll("details.song")];
    this.search = root.querySelector("input[type=search]");
    this.order = root.querySelector("select.order");
    this.found = root.querySelector(".found");
    this.search.addEventListener("input", () => this.filter());
    this.order.addEventListener("change", () => this.sort());
    root.querySelector(".next")?.addEventListener("click", () => this.step(1));
    root.querySelector(".previous")?.addEventListener("click", () => this.step(-1));
    for (const song of this.songs) song.addEventListener("toggle", () => this.toggled(song));
    addEventListener("hashchange", () => this.follow());
    this.filter();
    this.sort();
    this.follow();
  }

  get visible() {
    return [...this.box.children].filter((song) => !song.hidden);
  }

  filter() {
    const words = this.search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    for (const song of this.songs) {
      const text = song.dataset.find.toLocaleLowerCase();
      song.hidden = !words.every((word) => text.includes(word));
    }
    this.found.textContent = `${this.visible.length} of ${this.songs.length} songs`;
  }

  sort() {
    const at = this.order.value.indexOf("|");
    const up = this.order.value.slice(0, at) === "up" ? 1 : -1;
    const key = this.order.value.slice(at + 1);
    const system = key.startsWith("value:") ? key.slice(6) : null;
    const value = (song) => (system === null ? song.dataset[key] : (JSON.parse(song.dataset.values)[system] ?? NaN));
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "string") return up * x.localeCompare(y, undefined, { numeric: true });
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return up * (x - y);
    };
    this.box.append(...[...this.songs].sort(compare));
  }

  toggled(song) {
    const player = Player.all.find((p) => song.contains(p.root));
    if (!song.open) return player?.release();
    for (const other of this.songs) if (other !== song) other.open = false;
    if (player) Player.current = player;
    return undefined;
  }

  open(song) {
    for (const other of this.songs) other.open = other === song;
    song.scrollIntoView({ block: "start" });
    song.querySelector("summary").focus({ preventScroll: true });
  }

  step(by) {
    const list = this.visible;
    const at = list.findIndex((song) => song.open);
    const next = list[at < 0 ? 0 : at + by];
    if (next) this.open(next);
  }

  follow() {
    const song = this.songs.find((s) => `#${s.id}` === location.hash);
    if (song) this.open(song);
  }
}

/** A click on a heading sorts a table by that column. */
function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  [...table.tHead.rows[table.tHead.rows.length - 1].cells].forEach((head, column) => {
    const button = make("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      if (was === "descending") return body.append(...original);
      const up = was ? -1 : 1;
      head.setAttribute("aria-sort", was ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      return body.append(
        ...[...original].sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          const [p, q] = [Number.parseFloat(x), Number.parseFloat(y)];
          return Number.isNaN(p) || Number.isNaN(q) ? up * x.localeCompare(y) : up * (p - q);
        }),
      );
    });
  });
}

const log = new Log();
for (const root of document.querySelectorAll(".player")) {
  const player = new Player(root);
  root.querySelector(".start-blind").addEventListener("click", () => player.test ?? new Preference(player, log));
  root.querySelector(".start-abx").addEventListener("click", () => player.test ?? new Abx(player, log));
}
const songs = document.querySelector("#songs");
const songList = songs ? new SongList(songs) : null;
for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
document.addEventListener("keydown", onKey);
for (const button of document.querySelectorAll("button.print")) button.addEventListener("click", () => print());
globalThis.neuralMastering = { Mixer, Player, Log, log, songList, guessing, shuffled, decodeBase64 };
