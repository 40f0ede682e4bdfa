/* Play, before and after, loudness matching, loop, exact preview. */

import { button, byId, icon, make } from "./dom.js";
import { clock } from "./format.js";
import { buildListeningPanel } from "./listening_panel.js";
import { sound } from "./sound.js";
import { store } from "./store.js";
import { check, segments } from "./widgets.js";

export function buildTransport() {
  const play = button("", { className: "play", onclick: () => sound.toggle() });
  const time = make("span", { className: "time" });
  const source = segments({
    label: "What you hear",
    className: "sources",
    options: [
      { value: "before", text: make("span", {}, make("kbd", {}, "1"), " Before") },
      { value: "after", text: make("span", {}, make("kbd", {}, "2"), " After") },
    ],
    change: (value) => sound.listen(value),
  });
  const matched = check({ label: "Equal loudness", about: "Before and after are played equally loud, so that you compare the sound (M)", change: (on) => sound.setMatched(on) });
  const loop = button("Loop", { className: "toggle", title: "Repeat a part (L); drag over the waveform to choose it", onclick: () => sound.toggleLoop() }, icon("loop"), make("span", {}, "Loop"));
  const exact = button("Exact", { className: "toggle", title: "Render the loop with every stage, the compressor and the limiter too (E)", onclick: () => sound.setExact(!sound.exact) }, make("span", {}, "Exact"));
  const busy = make("span", { className: "busy", role: "status" });
  const volume = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 1, "aria-label": "Volume", oninput: () => sound.setVolume(Number(volume.value) ** 2) });
  volume.style.setProperty("--share", "100%");
  volume.addEventListener("input", () => volume.style.setProperty("--share", `${100 * volume.value}%`));
  const test = buildListeningPanel();
  const blind = button("Blind", { title: "Which one do you prefer? Names are hidden", onclick: () => test("blind") });
  const abx = button("ABX", { title: "Can you hear a difference at all?", onclick: () => test("abx") });
  const quiet = make("span", { className: "hint silent" }, "No audio device");
  byId("transport").append(
    play, time, source.node, matched.node, loop, exact, busy,
    make("span", { className: "transport-end" }, quiet, blind, abx, make("label", { className: "volume" }, icon("volume"), volume))
  );
  const update = () => {
    play.replaceChildren(icon(sound.playing ? "pause" : "play"));
    play.setAttribute("aria-label", sound.playing ? "Pause" : "Play");
    play.disabled = sound.silent || !store.ready;
    blind.disabled = abx.disabled = play.disabled || sound.testing;
    source.set(sound.source);
    matched.set(sound.matched);
    loop.setAttribute("aria-pressed", Boolean(sound.loop));
    exact.setAttribute("aria-pressed", sound.exact);
    busy.textContent = sound.rendering ? "Rendering the loop…" : "";
    quiet.hidden = !sound.silent;
    tick();
  };
  const tick = () => (time.textContent = `${clock(sound.position)} / ${clock(store.song?.seconds ?? 0)}`);
  sound.on("state", update);
  sound.on("position", tick);
  store.on("data current songs", update);
  update();
}
