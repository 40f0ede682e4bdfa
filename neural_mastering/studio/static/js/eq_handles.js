/* The bands as handles over the curve: dragged by pointer, moved by keys, and sliders to a screen reader. */

import { clamp, clone, make } from "./dom.js";
import { frequencyShare, gainShare, shareFrequency, shareGain } from "./eq_scale.js";
import { bandColour } from "./eq_view.js";
import { db, hertz, number, words } from "./format.js";
import { hear } from "./live.js";
import { store } from "./store.js";

const FINE = 0.25;
const NEXT = { n: 1, p: -1 };

export const limits = () => {
  const { frequency_hz: f, gain_db: gain, q } = store.catalogue.eq.ranges;
  return { frequency_hz: [Math.max(f[0], 20), Math.min(f[1], 20_000)], gain_db: gain, q };
};
const round = (value, digits) => Number(value.toFixed(digits));
export const bandText = (band) => `${words(band.kind)}, ${hertz(band.frequency_hz)}, ${db(band.gain_db)}, Q ${number(band.q, 2)}`;

/** Changes one band by hand, inside its limits; steps with one key are one undo. */
export function changeBand(index, change, key = `band-${index}`) {
  store.editControls(({ eq }) => move(eq[index], change), key);
}

/** Has a change of one band heard before it is made: what the page draws of it takes longer. */
function hearBand(index, change) {
  const controls = clone(store.session.used);
  move(controls.eq[index], change);
  hear(controls);
}

function move(band, change) {
  Object.assign(band, typeof change === "function" ? change(band) : change);
  const { frequency_hz: f, gain_db: g, q } = limits();
  band.frequency_hz = round(clamp(band.frequency_hz, ...f), 2);
  band.gain_db = round(clamp(band.gain_db, ...g), 3);
  band.q = round(clamp(band.q, q[0], band.kind === "peak" ? q[1] : Math.min(q[1], 1)), 4);
}

/** Back to what was decided; a band of one's own back to 0 dB. */
export function resetBand(index) {
  const decided = store.session.decided?.controls.eq[index];
  changeBand(index, decided ? { ...decided } : { gain_db: 0 }, null);
}

export function addBand(frequency_hz, gain_db) {
  let place = 0;
  store.editControls(({ eq }) => {
    place = eq.length;
    eq.push({ kind: "peak", frequency_hz: round(frequency_hz, 2), gain_db: round(gain_db, 2), q: 1 });
  }, null);
  store.band = place;
  store.emit("view");
}

export function removeBand(index) {
  store.editControls(({ eq }) => eq.splice(index, 1), null);
  store.band = Math.max(0, Math.min(store.band, store.session.used.eq.length - 1));
  store.emit("view");
}

export class EqHandles {
  constructor(view) {
    this.view = view;
    this.box = make("div", { className: "eq-handles", role: "group", "aria-label": "Equaliser bands" });
    this.nodes = [];
    view.onRange = () => this.place();
    store.on("session decided current view", () => this.place());
    this.box.addEventListener("dblclick", (event) => event.target === this.box && this.addAt(event));
    this.box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  place() {
    const bands = store.session?.used?.eq ?? [];
    while (this.nodes.length > bands.length) this.nodes.pop().remove();
    while (this.nodes.length < bands.length) this.nodes.push(this.handle(this.nodes.length));
    bands.forEach((band, i) => {
      const node = this.nodes[i];
      const top = gainShare(clamp(band.gain_db, -this.view.range * 1.1, this.view.range * 1.1), this.view.range);
      node.style.left = `${(100 * clamp(frequencyShare(band.frequency_hz), 0, 1)).toFixed(3)}%`;
      node.style.top = `${(100 * top).toFixed(3)}%`;
      node.setAttribute("aria-valuenow", band.gain_db);
      node.setAttribute("aria-valuetext", bandText(band));
      node.classList.toggle("chosen", i === store.band);
      node.tabIndex = i === store.band ? 0 : -1; // one stop of Tab; N and P go on from there
    });
  }

  handle(index) {
    const [low, high] = limits().gain_db;
    const node = make("div", {
      className: "eq-handle",
      role: "slider",
      tabIndex: 0,
      "aria-label": `Band ${index + 1}`,
      "aria-orientation": "vertical",
      "aria-valuemin": low,
      "aria-valuemax": high,
      "aria-describedby": "eq-help",
    }, String(index + 1));
    node.style.setProperty("--c", `var(${bandColour(index)})`);
    node.addEventListener("focus", () => store.selectBand(index));
    node.addEventListener("keydown", (event) => this.key(event, index));
    node.addEventListener("pointerdown", (event) => this.drag(event, index));
    node.addEventListener("dblclick", () => resetBand(index));
    this.box.append(node);
    return node;
  }

  drag(event, index) {
    if (event.button !== 0) return;
    event.preventDefault();
    const node = this.nodes[index];
    node.focus({ preventScroll: true });
    node.setPointerCapture(event.pointerId);
    const box = this.box.getBoundingClientRect();
    const start = { ...store.session.used.eq[index] };
    const from = { x: event.clientX, y: event.clientY };
    const key = `drag-${event.timeStamp}`;
    let last = 0;
    this.view.holdRange = true;
    node.classList.add("dragged");
    const bandAt = (at) => {
      const fine = at.shiftKey ? FINE : 1;
      const share = frequencyShare(start.frequency_hz) + (fine * (at.clientX - from.x)) / box.width;
      const height = gainShare(start.gain_db, this.view.range) + (fine * (at.clientY - from.y)) / box.height;
      const next = { frequency_hz: shareFrequency(share), gain_db: shareGain(height, this.view.range) };
      if (at.ctrlKey || at.metaKey) next.frequency_hz = start.frequency_hz;
      if (Math.abs(next.gain_db) < 0.08) next.gain_db = 0;
      return next;
    };
    const listen = (at) => hearBand(index, bandAt(at)); // as the pointer moves, not once a frame
    const follow = (at) => {
      changeBand(index, bandAt(at), key);
      store.session.mergedAt = performance.now() + 1e9; // one drag is one step back, however slow
      last = at.timeStamp;
    };
    const end = () => {
      node.removeEventListener("pointerrawupdate", listen);
      node.removeEventListener("pointermove", follow);
      node.classList.remove("dragged");
      this.view.holdRange = false;
      store.session.settle();
      this.view.redraw();
      if (last) node.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
    };
    node.addEventListener("pointerrawupdate", listen);
    node.addEventListener("pointermove", follow);
    node.addEventListener("lostpointercapture", end, { once: true });
  }

  key(event, index) {
    const fine = event.shiftKey ? FINE : 1;
    const moves = {
      ArrowUp: (band) => ({ gain_db: band.gain_db + 0.5 * fine }),
      ArrowDown: (band) => ({ gain_db: band.gain_db - 0.5 * fine }),
      ArrowRight: (band) => ({ frequency_hz: band.frequency_hz * 2 ** (fine / 12) }),
      ArrowLeft: (band) => ({ frequency_hz: band.frequency_hz * 2 ** (-fine / 12) }),
      PageUp: (band) => ({ q: band.q * 2 ** (fine / 6) }),
      PageDown: (band) => ({ q: band.q * 2 ** (-fine / 6) }),
      Home: () => ({ gain_db: 0 }),
    };
    if (moves[event.key]) changeBand(index, moves[event.key], `band-${index}-${event.key}`);
    else if (NEXT[event.key.toLowerCase()] && !event.ctrlKey && !event.metaKey) this.go(index + NEXT[event.key.toLowerCase()]);
    else if (event.key === "Backspace") resetBand(index);
    else if (event.key === "Delete") {
      removeBand(index);
      (this.nodes[store.band] ?? this.box).focus?.();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go(index) {
    this.nodes[(index + this.nodes.length) % this.nodes.length].focus();
  }

  wheel(event) {
    const index = this.nodes.indexOf(event.target);
    const place = index >= 0 ? index : -1;
    if (place < 0) return;
    event.preventDefault();
    const way = -Math.sign(event.deltaY) * (event.shiftKey ? FINE : 1);
    changeBand(place, (band) => ({ q: band.q * 2 ** (way / 6) }), `wheel-${place}`);
  }

  addAt(event) {
    const box = this.box.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    addBand(shareFrequency(share), shareGain((event.clientY - box.top) / box.height, this.view.range));
    this.nodes[store.band].focus();
  }
}
