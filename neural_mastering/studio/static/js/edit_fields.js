/* What is done to a song on request only: its ends, its bass, and how mono and quiet songs are meant. */

import { make } from "./dom.js";
import { store } from "./store.js";
import { check, choice, more, numberField } from "./widgets.js";

const BASS_HZ = 120;
const USUAL = "cosine"; // what a fade is without a name

const fadeOf = (text) => {
  const [seconds, curve = USUAL] = String(text ?? 0).split(":");
  return { seconds: Number(seconds), curve };
};
const textOf = ({ seconds, curve }) => (seconds > 0 ? (curve === USUAL ? seconds : `${seconds}:${curve}`) : null);

function fade(label, key) {
  const edit = (change) => store.editSettings((settings) => (settings[key] = textOf({ ...fadeOf(settings[key]), ...change })), key);
  const length = numberField({ label, unit: "s", low: 0, high: 600, digits: 2, step: 0.5, change: (seconds) => edit({ seconds }) });
  const curve = choice({
    label: `${label}: curve`,
    hideLabel: true,
    options: store.catalogue.fade_curves.map((name) => ({ value: name, text: name })),
    change: (name) => edit({ curve: name }),
  });
  const set = (text) => {
    const now = fadeOf(text);
    length.set(now.seconds);
    curve.set(now.curve);
    curve.node.hidden = !(now.seconds > 0);
  };
  return { node: make("div", { className: "pair" }, length.node, curve.node), set };
}

export function editFields() {
  const flag = (key, label, about) => check({ label, about, change: (on) => store.editSettings((settings) => (settings[key] = on)) });
  const trim = flag("trim", "Trim the ends", "Cuts silence, and clicks apart from the music");
  const fades = { fade_in: fade("Fade in", "fade_in"), fade_out: fade("Fade out", "fade_out") };
  const [low, high] = store.catalogue.bass_mono_range_hz;
  const bassHz = numberField({ label: "Below", unit: "Hz", low, high, digits: 0, step: 10, change: (v) => store.editSettings((s) => (s.bass_mono_hz = v), "bass") });
  const bass = check({ label: "Bass to the middle", about: "A high-pass on the side", change: (on) => store.editSettings((s) => (s.bass_mono_hz = on ? BASS_HZ : null)) });
  const lower = flag("lower_only", "Never make it louder", "A song that is quieter than its target stays so");
  const dual = flag("dual_mono", "Mono for two loudspeakers", "They play it 3 LU louder than it measures");
  store.on("session current songs", () => {
    if (!store.session) return;
    const { settings } = store.session;
    trim.set(settings.trim);
    for (const [key, { set }] of Object.entries(fades)) set(settings[key]);
    bass.set(settings.bass_mono_hz !== null);
    bassHz.node.hidden = settings.bass_mono_hz === null;
    bassHz.set(settings.bass_mono_hz);
    lower.set(settings.lower_only);
    dual.set(settings.dual_mono);
    dual.node.hidden = store.song?.channels !== 1;
    bass.node.hidden = store.song?.channels === 1;
  });
  return more("Ends and bass", trim.node, fades.fade_in.node, fades.fade_out.node, make("div", { className: "pair" }, bass.node, bassHz.node), lower.node, dual.node);
}
