/* Blind comparison and ABX of before, after and the other snapshots: the report's tests (listening.js) on this song. */

/* global Preference, Abx, Log */
import { post } from "./api.js";
import { alertUser, button, byId, make } from "./dom.js";
import { weakened } from "./live.js";
import { loudnessChange } from "./matched.js";
import { SLOTS } from "./session.js";
import { sound } from "./sound.js";
import { store } from "./store.js";
import { ListeningPlayer } from "/static/engine/listening_player.js";

const TESTS = { blind: () => Preference, abx: () => Abx };

/** The other snapshots that differ, as chains of their own. */
async function alternatives() {
  const { session, song } = store;
  const filled = SLOTS.filter((name) => name !== session.slot && session.slots[name]?.controls);
  return Promise.all(
    filled.map(async (name) => {
      const { controls, settings } = session.slots[name];
      const sections = await post("/sections", { controls: weakened(controls, settings), sample_rate: song.sample_rate });
      return { name: `Snapshot ${name}`, sections };
    })
  );
}

/** Sets the engine up for all sources at the loudness of the quietest; gives that loudness. */
function prepare(engine, others) {
  const { song, sections } = store;
  const changes = [sections, ...others.map((other) => other.sections)].map((each) => loudnessChange(song.spectrum, each.stages, each.sample_rate));
  const common = Math.min(0, ...changes);
  engine.setAlternatives(others.length);
  others.forEach((other, i) => engine.setSections(other.sections, i));
  engine.setRegion(null);
  engine.setMatched(common, ...changes.map((change) => common - change));
  return song.readings.lufs + common;
}

export function buildListeningPanel() {
  const sources = make("div", { className: "listen-sources", role: "group", "aria-label": "Sources" });
  const test = make("div", { className: "test" });
  const root = make("section", { className: "listening", hidden: true, "aria-label": "Listening test" }, sources, test);
  byId("transport").prepend(root);
  let player = null;
  let log = null;

  const show = ({ order, names, button: heard }) => {
    sources.replaceChildren(
      ...order.map((source, i) => {
        const text = names?.[i] ?? player.sources[source].name;
        return button(text, { className: "toggle", "aria-pressed": i === heard, onclick: () => player.select(i) });
      })
    );
    root.hidden = test.hidden;
    if (test.hidden) end();
  };
  const end = () => {
    player = null;
    sound.testing = false;
    sound.listen(sound.source);
    sound.engine?.setAlternatives(0);
    sound.match();
  };
  const start = async (kind) => {
    try {
      const engine = await sound.ready();
      if (!engine || player) return;
      const others = await alternatives();
      const matchedLufs = prepare(engine, others);
      const all = [{ name: "Before", listen: "before" }, { name: "After", listen: "after" }, ...others.map(({ name }, i) => ({ name, listen: i }))];
      log ??= new Log();
      test.hidden = false;
      sound.testing = true;
      player = new ListeningPlayer(root, engine, all, { song: store.song.name, matchedLufs, show });
      new (TESTS[kind]())(player, log);
      root.hidden = false;
      test.querySelector("button")?.focus();
      if (!sound.playing) await sound.play();
    } catch (error) {
      alertUser(error.message);
    }
  };
  store.on("current", () => {
    root.hidden = true;
    test.replaceChildren();
    player = null;
    sound.testing = false;
  });
  document.addEventListener("keydown", (event) => {
    if (!player || !/^[1-9]$/.test(event.key) || event.target.closest("input[type=text], select")) return;
    player.select(Number(event.key) - 1);
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  return start;
}
