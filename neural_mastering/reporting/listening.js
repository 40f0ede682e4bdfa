/* Blind listening: hidden, shuffled names, and a log to download. A plain script, in the reports and in the studio.

   What it asks of a player: root (an element with a .test inside), song, sources ([{ name }, …]), data.matched_lufs,
   heardS (seconds by source), switches, order, count(), reset(), arrange(order, names, button). */

function make(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

/** Whole number below n without favour, from the browser's random source. */
function randomBelow(n) {
  const limit = Math.floor(2 ** 32 / n) * n;
  const one = new Uint32Array(1);
  do crypto.getRandomValues(one);
  while (one[0] >= limit);
  return one[0] % n;
}

function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = randomBelow(i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** Chance of at least `right` of `trials` by guessing. */
function guessing(right, trials) {
  let sum = 0;
  let ways = 1;
  for (let k = trials; k >= right; k--) {
    sum += ways;
    ways = (ways * k) / (trials - k + 1);
  }
  return sum / 2 ** trials;
}

/** Choices of this page; kept in the browser between visits where it allows that. */
class Log {
  static FIELDS = ["time", "song", "mode", "trial", "labels", "choice_label", "choice", "correct", "seconds_heard", "switches", "matched_lufs", "note"];

  constructor() {
    this.report = document.body.dataset.report ?? "";
    this.key = `listening-${this.report}`;
    this.entries = [];
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      if (Array.isArray(kept)) this.entries = kept;
    } catch {
      /* not kept then */
    }
    this.panel = document.querySelector("#listening-log");
    if (!this.panel) return;
    this.panel.querySelector(".json").addEventListener("click", () => this.download("json", this.json()));
    this.panel.querySelector(".csv").addEventListener("click", () => this.download("csv", this.csv()));
    this.panel.querySelector(".clear").addEventListener("click", () => {
      if (confirm(`Forget ${this.entries.length} logged choices?`)) this.clear();
    });
    this.show();
  }

  add(entry) {
    this.entries.push({ time: new Date().toISOString(), ...entry });
    this.keep();
  }

  clear() {
    this.entries = [];
    this.keep();
  }

  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.entries));
    } catch {
      /* full, or forbidden: the log lasts as long as the page */
    }
    this.show();
  }

  json() {
    return JSON.stringify({ report: this.report, title: document.title, written: new Date().toISOString(), choices: this.entries }, null, 2);
  }

  csv() {
    const cell = (value) => {
      let text = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
      if (/^[=+\-@\t\r]/.test(text) && typeof value !== "number") text = `'${text}`; // a spreadsheet would run it
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = this.entries.map((entry) => Log.FIELDS.map((field) => cell(entry[field])).join(","));
    return [Log.FIELDS.join(","), ...lines].join("\r\n") + "\r\n";
  }

  download(kind, text) {
    const url = URL.createObjectURL(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv" }));
    const link = make("a", { href: url, download: `listening-${this.report || "log"}.${kind}` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  show() {
    if (!this.panel) return;
    const n = this.entries.length;
    this.panel.querySelector(".count").textContent = n === 0 ? "No choices yet." : n === 1 ? "1 choice logged." : `${n} choices logged.`;
    for (const button of this.panel.querySelectorAll("button")) button.disabled = n === 0;
    const body = this.panel.querySelector("tbody");
    body.replaceChildren(
      ...this.entries.slice(-12).reverse().map((e) =>
        make("tr", {}, ...[e.song, e.mode, `${e.choice_label}: ${e.choice}`, e.correct === undefined ? "" : e.correct ? "right" : "wrong"].map((t) => make("td", { textContent: t }))),
      ),
    );
    this.panel.querySelector("table").hidden = n === 0;
  }
}

/** What all tests of one player share: its box, how long each source was heard, and the way back. */
class ListeningTest {
  constructor(player, log) {
    this.player = player;
    this.log = log;
    this.box = player.root.querySelector(".test");
    this.box.hidden = false;
    player.test = this;
    player.root.classList.add("testing");
  }

  record(mode, more) {
    this.player.count();
    const heard = {};
    this.player.sources.forEach((s, i) => (heard[s.name] = Math.round(this.player.heardS[i] * 10) / 10));
    const note = this.box.querySelector("input[type=text]")?.value.trim() ?? "";
    this.log.add({ song: this.player.song, mode, ...more, seconds_heard: heard, switches: this.player.switches, matched_lufs: this.player.data.matched_lufs, note });
    this.player.reset();
  }

  end() {
    this.box.hidden = true;
    this.box.replaceChildren();
    this.player.test = null;
    this.player.root.classList.remove("testing");
    this.player.arrange(this.player.sources.map((_, i) => i));
  }

  button(text, action, className = "") {
    const node = make("button", { type: "button", textContent: text, className });
    node.addEventListener("click", action);
    return node;
  }
}

/** All sources under letters in random order: which one do you prefer? */
class Preference extends ListeningTest {
  constructor(player, log) {
    super(player, log);
    this.round();
  }

  round() {
    const order = shuffled(this.player.sources.map((_, i) => i));
    this.letters = order.map((_, i) => String.fromCharCode(65 + i));
    this.player.reset();
    this.player.arrange(order, this.letters);
    this.box.replaceChildren(
      make("p", {}, make("b", { textContent: "Blind comparison. " }), "The sources are shuffled and loudness-matched. Listen, then choose the one you prefer; the names are shown afterwards."),
      make("div", { className: "answers" }, ...this.letters.map((letter, i) => this.button(`I prefer ${letter}`, () => this.choose(i), "answer")), this.button("No preference", () => this.choose(-1), "answer")),
      make("label", { className: "note" }, "Note ", make("input", { type: "text", maxLength: 500 })),
      this.button("Stop without choosing", () => this.end(), "quiet"),
    );
  }

  choose(i) {
    const names = this.player.order.map((source) => this.player.sources[source].name);
    const labels = Object.fromEntries(this.letters.map((letter, k) => [letter, names[k]]));
    this.record("preference", { labels, choice_label: i < 0 ? "none" : this.letters[i], choice: i < 0 ? "no preference" : names[i] });
    this.player.arrange(this.player.order, this.letters.map((letter, k) => `${letter}: ${names[k]}`), Math.max(i, 0));
    this.box.replaceChildren(
      make("p", { className: "revealed" }, make("b", { textContent: i < 0 ? "No preference. " : `You preferred ${names[i]}. ` }), this.letters.map((letter, k) => `${letter} was ${names[k]}`).join(", ") + "."),
      this.button("Another round", () => this.round()),
      this.button("Done", () => this.end(), "quiet"),
    );
  }
}

/** Is X the one or the other? Tells whether a difference is heard at all. */
class Abx extends ListeningTest {
  constructor(player, log) {
    super(player, log);
    this.pair = [0, 1];
    this.begin();
  }

  begin() {
    this.right = 0;
    this.trials = 0;
    this.next();
  }

  next() {
    this.hidden = randomBelow(2);
    const [a, b] = this.pair;
    const names = this.player.sources.map((s) => s.name);
    this.player.reset();
    this.player.arrange([a, b, this.pair[this.hidden]], [`A: ${names[a]}`, `B: ${names[b]}`, "X"], 2);
    const pick = (which) => {
      const list = make("select", {}, ...names.map((name, i) => make("option", { value: i, textContent: name, selected: i === this.pair[which] })));
      list.setAttribute("aria-label", which ? "Source B" : "Source A");
      list.addEventListener("change", () => {
        this.pair[which] = Number(list.value);
        if (this.pair[0] === this.pair[1]) this.pair[1 - which] = (this.pair[which] + 1) % names.length;
        this.begin();
      });
      return list;
    };
    this.box.replaceChildren(
      make("p", {}, make("b", { textContent: `ABX, trial ${this.trials + 1}. ` }), "X is A or B, drawn by chance. Which one? Right answers are counted and shown at the end."),
      ...(names.length > 2 ? [make("p", { className: "pair" }, "Compare ", pick(0), " with ", pick(1))] : []),
      make("div", { className: "answers" }, this.button("X is A", () => this.answer(0), "answer"), this.button("X is B", () => this.answer(1), "answer")),
      this.button(this.trials ? "Finish and show the score" : "Stop", () => this.finish(), "quiet"),
    );
  }

  answer(which) {
    const correct = which === this.hidden;
    this.trials++;
    if (correct) this.right++;
    const names = this.pair.map((i) => this.player.sources[i].name);
    this.record("abx", { trial: this.trials, labels: { A: names[0], B: names[1], X: names[this.hidden] }, choice_label: "AB"[which], choice: names[which], correct });
    this.next();
  }

  finish() {
    if (!this.trials) return this.end();
    const percent = 100 * guessing(this.right, this.trials);
    const chance = percent < 1 ? "under 1" : percent.toFixed(0);
    this.player.arrange(this.player.sources.map((_, i) => i));
    this.box.replaceChildren(
      make("p", { className: "revealed" }, make("b", { textContent: `${this.right} of ${this.trials} right. ` }), `Someone who guesses does this well or better in ${chance} % of such tests.`),
      this.button("Done", () => this.end(), "quiet"),
    );
    return undefined;
  }
}
