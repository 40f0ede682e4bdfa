/* Take it away: formats, the render, the files, the command that gives the same, presets and the project. */

import { albumFields, albumRequest } from "./album_fields.js";
import { post, save, work } from "./api.js";
import { showCommand } from "./command_text.js";
import { afterPause, alertUser, announce, button, byId, iconButton, make } from "./dom.js";
import { editFields } from "./edit_fields.js";
import { bytes, number, stem, title, words } from "./format.js";
import { saveNow } from "./project.js";
import { projectButtons } from "./project_file.js";
import { store } from "./store.js";
import { check, choice, heading, more } from "./widgets.js";

const PRESETS = { controls: "Controls (YAML)", eqapo: "Equalizer APO", camilladsp: "CamillaDSP", jsfx: "JSFX (Reaper)", json: "JSON" };

const USUAL_KBPS = [64, 96, 128, 160, 192, 256, 320, 500];
const nameOf = (format) => format?.split(":")[0] ?? null;

function formatFields() {
  const deliver = (change) => store.editSettings(change);
  const { formats } = store.catalogue;
  const own = { value: null, text: "As the song" };
  const format = choice({ label: "Format", options: [own, ...formats.map(({ name, title: text }) => ({ value: name, text }))], change: (v) => deliver((s) => (s.format = v)) });
  const kbps = choice({
    label: "Bit rate",
    options: [],
    change: (v) => deliver((s) => (s.format = v === null ? nameOf(s.format) : `${nameOf(s.format)}:${v}`)),
  });
  const rateOf = (text) => Number(text?.split(":")[1]) || null;
  const bits = choice({
    label: "Bits",
    options: [{ value: null, text: "At least 24" }, ...store.catalogue.bits.map((v) => ({ value: v, text: v === "32f" ? "32 float" : v }))],
    change: (v) => deliver((s) => (s.bits = v)),
  });
  const rate = choice({
    label: "Sample rate",
    options: [{ value: null, text: "As the song" }, ...[44_100, 48_000, 88_200, 96_000, 176_400, 192_000].map((v) => ({ value: v, text: `${number(v / 1000, 1)} kHz` }))],
    change: (v) => deliver((s) => (s.sample_rate_hz = v)),
  });
  const set = (key, name) => (on) => deliver((s) => (s[key] = on ? [...s[key], name] : s[key].filter((other) => nameOf(other) !== name)));
  const several = (key, list) => list.map(({ name, title: label }) => ({ key, name, ...check({ label, change: set(key, name) }) }));
  const also = several("also", formats);
  const lossy = formats.filter(({ lossy: isLossy }) => isLossy);
  const checked = several("codec_check", lossy);
  const safe = several("codec_safe", lossy);
  const tags = check({ label: "Loudness tags (ReplayGain)", change: (on) => deliver((s) => (s.replaygain = on)) });
  const report = check({ label: "With a report page", about: "A page that explains every move, with players", change: (on) => (extras.report = on) });
  report.set(extras.report);
  const box = (text, list) => make("fieldset", {}, make("legend", {}, text), ...list.map(({ node }) => node));
  store.on("session current", () => {
    if (!store.session) return;
    const { settings } = store.session;
    format.set(nameOf(settings.format));
    const rates = formats.find(({ name }) => name === nameOf(settings.format))?.kbps;
    kbps.node.hidden = !rates;
    bits.node.hidden = Boolean(rates);
    if (rates) {
      const steps = rates.steps.length ? rates.steps : USUAL_KBPS.filter((v) => v >= rates.lowest && v <= rates.highest);
      kbps.fill([{ value: null, text: `${rates.default} kbit/s` }, ...steps.filter((v) => v !== rates.default).map((v) => ({ value: v, text: `${v} kbit/s` }))]);
      kbps.set(rateOf(settings.format));
    }
    bits.set(settings.bits ?? null);
    rate.set(settings.sample_rate_hz ?? null);
    tags.set(settings.replaygain);
    for (const { key, name, set: show } of [...also, ...checked, ...safe]) show((settings[key] ?? []).some((other) => nameOf(other) === name));
  });
  return [
    make("div", { className: "two" }, format.node, bits.node, kbps.node),
    report.node,
    more("More formats and checks", rate.node, box("Also as", also), box("Measure after", checked), box("Keep the ceiling after", safe), tags.node),
  ];
}

function commandBox() {
  const code = make("code", {});
  const copy = iconButton("copy", "Copy the command", {
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        announce("The command is copied.");
        copy.classList.add("done");
        setTimeout(() => copy.classList.remove("done"), 1200);
      } catch {
        getSelection().selectAllChildren(code);
      }
    },
  });
  const renew = afterPause(async () => {
    const { session, currentId: id } = store;
    if (!session?.decided || store.deciding || !store.ready) return; // it follows from the decision
    try {
      showCommand(code, (await post(`/songs/${id}/command`, requestOf(session))).text);
    } catch (error) {
      code.textContent = error.message;
    }
  }, 250);
  store.on("session decided deciding current", renew);
  const pre = make("pre", { tabIndex: 0, "aria-label": "Command" }, code);
  return make("div", { className: "command" }, make("div", { className: "label-row" }, make("span", { className: "label" }, "The same on the command line"), copy), pre);
}

/** What goes beside the master. */
const extras = { report: true, export: [] };

const requestOf = ({ controls, settings }) => ({ controls, settings, report: extras.report, export: extras.export });

/** The command of an album, once its controls are there. */
function albumCommand(text) {
  const code = make("code", {});
  showCommand(code, text);
  return [
    make("p", { className: "label" }, "The same on the command line, with the controls in a folder “controls” beside the songs"),
    make("pre", { tabIndex: 0, "aria-label": "Command of the album" }, code),
  ];
}

function resultText({ output, delivery, target } = {}) {
  if (!output) return "";
  if (output.lufs === null && output.true_peak_db === null) return "It is silent, as the song is.";
  const loudness = output.lufs === null ? ["too short for a loudness"] : [`${number(output.lufs)} LUFS`, `range ${number(output.lra)} LU`];
  const parts = [...loudness, `${number(output.true_peak_db)} dBTP`];
  if (delivery) parts.push(`the limiter took off up to ${number(delivery.max_reduction_db)} dB`);
  if (target && target.reached === false) parts.push("the target was not reached");
  return parts.join(" · ");
}

/** A file to download; of an album, with the folder that the command looks for it in. */
function fileRow(job, file, isAlbum) {
  const href = `/jobs/${encodeURIComponent(job)}/files/${file.name.split("/").map(encodeURIComponent).join("/")}`;
  const name = file.name.split("/").at(-1);
  const link = make("a", { href, download: name }, isAlbum ? file.name : name);
  return make("li", {}, link, make("small", {}, [words(file.kind ?? ""), bytes(file.bytes)].filter(Boolean).join(" · ")));
}

/** What a person came for first; the many files of an album's songs wait behind a click. */
function fileList(job, files, isAlbum) {
  const order = ["audio", "playlist", "controls", "preset", "report"];
  const sorted = files.toSorted((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
  const list = (some) => make("ul", { className: "files" }, ...some.map((file) => fileRow(job, file, isAlbum)));
  const isBeside = ({ kind }) => isAlbum && (kind === "controls" || kind === "report");
  const beside = sorted.filter(isBeside);
  return [list(sorted.filter((file) => !isBeside(file))), ...(beside.length ? [more("Controls and reports of the songs", list(beside))] : [])];
}

class Renderer {
  constructor() {
    this.abort = null;
    this.start = button("Render the master", { className: "primary", id: "render", onclick: () => this.render(false) });
    this.startAlbum = button("Render the album", { id: "render-album", title: "All songs with the same gain, so that their levels keep their relation", onclick: () => this.render(true) });
    this.bar = make("progress", { max: 1, "aria-label": "Rendering" });
    this.step = make("span", {});
    this.cancel = button("Cancel", { className: "quiet", onclick: () => this.abort?.abort() });
    this.progress = make("div", { className: "progress", hidden: true }, this.bar, this.step, this.cancel);
    this.result = make("div", { className: "result", hidden: true, tabIndex: -1 });
    this.why = make("p", { className: "hint", hidden: true }, "An album needs all of its songs: remove those that can't be read.");
    this.node = make("div", {}, make("div", { className: "actions" }, this.start, this.startAlbum), this.why, this.progress, this.result);
    store.on("current", () => (this.result.hidden = this.resultOf !== store.currentId));
    store.on("session decided current songs", () => this.update());
  }

  update() {
    const busy = Boolean(this.abort);
    this.start.disabled = busy || !store.session?.used || !store.ready;
    this.startAlbum.hidden = store.order.length < 2;
    this.why.hidden = this.startAlbum.hidden || !store.order.some((id) => store.songs.get(id)?.state === "failed");
    this.startAlbum.disabled = busy || store.order.some((id) => store.songs.get(id)?.state !== "ready");
  }

  async render(album) {
    const { session, currentId } = store;
    this.abort = new AbortController();
    this.progress.hidden = false;
    this.result.hidden = true;
    this.update();
    this.start.blur();
    let job = null;
    const progress = (state) => {
      job = state.id;
      this.step.textContent = state.state === "waiting" ? "Waiting" : title(state.step ?? "");
      if (state.share > 0) this.bar.value = state.share;
      else this.bar.removeAttribute("value");
    };
    const { settings } = session;
    try {
      const options = { signal: this.abort.signal, progress };
      const done = album
        ? await saveNow().then(() => work("/album/render", { settings, report: extras.report, ...albumRequest() }, options))
        : await work(`/songs/${currentId}/render`, requestOf(session), options);
      this.resultOf = currentId;
      this.show(job, done);
    } catch (error) {
      if (error.name === "AbortError") announce("The render was cancelled.");
      else alertUser(error.message);
    } finally {
      this.abort = null;
      this.progress.hidden = true;
      this.update();
    }
  }

  show(job, { files, summary, command, command_text: typed }) {
    const text = resultText(summary);
    const isAlbum = !summary;
    this.result.replaceChildren(
      make("p", {}, make("strong", {}, "Rendered. "), text),
      ...fileList(job, files, isAlbum),
      ...(isAlbum ? albumCommand(typed) : [])
    );
    if (command) this.result.dataset.command = Array.isArray(command) ? command.join(" ") : command;
    this.result.hidden = false;
    this.result.focus();
    announce(`The master is rendered. ${text}`);
  }
}

function presets() {
  const list = ["controls", ...store.catalogue.presets].map((format) =>
    button(PRESETS[format] ?? format, {
      className: "quiet",
      onclick: () =>
        save(`/songs/${store.currentId}/export`, { controls: store.session.used, format }, `${stem(store.song.name)}.${format}`).catch((error) => alertUser(error.message)),
    })
  );
  return more("Presets for other software", make("div", { className: "actions" }, ...list));
}

export function buildDeliverPanel() {
  const renderer = new Renderer();
  byId("deliver").append(
    heading("deliver-title", "Master"),
    make("div", { className: "half" }, ...formatFields(), editFields(), albumFields(), renderer.node),
    make("div", { className: "half" }, commandBox(), presets(), projectButtons())
  );
}
