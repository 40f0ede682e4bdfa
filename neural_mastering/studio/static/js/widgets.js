/* Fields that panels are made of. Each has a label, works by keyboard, and offers `set(value)` to show another value. */

import { clamp, make, uniqueId } from "./dom.js";
import { number, parseNumber, signed } from "./format.js";

/** A number that can be typed and stepped: ↑ ↓, with Shift a tenth of the step, Page ↑ ↓ ten steps. */
export function numberField({ label, unit = "", low, high, digits = 1, step = 10 ** -digits, log = false, plus = false, hideLabel = false, change }) {
  const id = uniqueId("number");
  const input = make("input", { id, type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false, role: "spinbutton" });
  let value = NaN;
  const text = () => (Number.isFinite(value) ? (plus ? signed : number)(value, digits) : "");
  const show = () => {
    if (document.activeElement !== input || input.dataset.typed === undefined) input.value = text();
    input.setAttribute("aria-valuenow", Number.isFinite(value) ? value : 0);
    input.setAttribute("aria-valuetext", `${text()} ${unit}`.trim());
  };
  if (low !== undefined) input.setAttribute("aria-valuemin", low);
  if (high !== undefined) input.setAttribute("aria-valuemax", high);
  const take = (raw) => {
    delete input.dataset.typed;
    const next = clamp(raw, low ?? -Infinity, high ?? Infinity);
    if (Number.isFinite(next) && next !== value) {
      value = next;
      change(next);
    }
    show();
  };
  input.addEventListener("input", () => (input.dataset.typed = ""));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => "typed" in input.dataset && take(parseNumber(input.value)));
  input.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (event.key === "Enter") take(parseNumber(input.value));
    else if (event.key === "Escape" && "typed" in input.dataset) {
      delete input.dataset.typed;
      input.value = text();
    } else if (way && Number.isFinite(value)) {
      event.preventDefault();
      const by = way * (event.shiftKey ? 0.1 : 1);
      take(log ? value * 2 ** (by / 12) : value + by * step);
    } else return;
    event.stopPropagation();
  });
  const node = make("span", { className: "field number" }, make("label", { for: id, className: hideLabel ? "unseen" : "" }, label), input);
  if (unit) node.append(make("span", { className: "unit", "aria-hidden": "true" }, unit));
  const set = (next) => {
    value = next ?? NaN;
    show();
  };
  return { node, input, set, enable: (on) => (input.disabled = !on) };
}

/** A slider with its value beside it; `double click` goes back to `home`. */
export function slider({ label, low, high, step, home, log = false, read = (v) => number(v), change, settle = () => {} }) {
  const id = uniqueId("slider");
  const [to, from] = log ? [Math.log, Math.exp] : [(x) => x, (x) => x];
  const steps = log ? (to(high) - to(low)) / 200 : step;
  const input = make("input", { id, type: "range", min: to(low), max: to(high), step: steps });
  const output = make("output", { for: id });
  const paint = () => {
    const value = from(Number(input.value));
    const shown = read(value);
    output.textContent = shown;
    input.setAttribute("aria-valuetext", shown);
    const share = (input.value - input.min) / (input.max - input.min);
    input.style.setProperty("--share", `${(100 * share).toFixed(2)}%`);
  };
  input.addEventListener("input", () => {
    paint();
    change(from(Number(input.value)));
  });
  input.addEventListener("change", () => settle());
  if (home !== undefined)
    input.addEventListener("dblclick", () => {
      input.value = to(home);
      paint();
      change(home);
      settle();
    });
  const node = make("div", { className: "field slide" }, make("label", { for: id }, label), input, output);
  const set = (value) => {
    input.value = to(value);
    paint();
  };
  if (home !== undefined) set(home);
  return { node, input, set, enable: (on) => (input.disabled = !on) };
}

/** A list to choose from; options are {value, text, about?} or groups {group, options}. */
export function choice({ label, options, change, hideLabel = false }) {
  const id = uniqueId("choice");
  const select = make("select", { id });
  const about = make("small", { className: "about", id: `${id}-about` });
  let all = [];
  const fill = (given) => {
    all = given;
    select.replaceChildren(...given.map(({ value, text }) => make("option", { value: String(value) }, text)));
  };
  const tell = () => {
    about.textContent = all.find(({ value }) => String(value) === select.value)?.about ?? "";
    about.hidden = !about.textContent;
  };
  fill(options);
  select.addEventListener("change", () => {
    tell();
    change(all.find(({ value }) => String(value) === select.value).value);
  });
  select.setAttribute("aria-describedby", about.id);
  const node = make("div", { className: "field choose" }, make("label", { for: id, className: hideLabel ? "unseen" : "" }, label), select, about);
  const set = (value) => {
    select.value = String(value);
    tell();
  };
  return { node, select, set, fill, about };
}

/** A few exclusive choices side by side: one stop of Tab, arrow keys move. */
export function segments({ label, options, change, className = "" }) {
  const group = make("div", { className: `segments ${className}`, role: "radiogroup", "aria-label": label });
  const pick = (value) => {
    set(value);
    change(value);
  };
  const buttons = options.map(({ value, text, about }) =>
    make("button", { type: "button", role: "radio", title: about, onclick: () => pick(value) }, text)
  );
  group.append(...buttons);
  group.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.indexOf(document.activeElement);
    const next = (at + way + buttons.length) % buttons.length;
    buttons[next].focus();
    pick(options[next].value);
  });
  const set = (value) => {
    const chosen = options.findIndex((option) => option.value === value);
    buttons.forEach((node, i) => {
      node.setAttribute("aria-checked", i === chosen);
      node.tabIndex = i === Math.max(chosen, 0) ? 0 : -1;
    });
  };
  set(undefined);
  return { node: group, buttons, set };
}

/** A switch. */
export function check({ label, about, change }) {
  const input = make("input", { type: "checkbox", onchange: () => change(input.checked) });
  const node = make("label", { className: "check", title: about }, input, make("span", {}, label));
  return { node, input, set: (on) => (input.checked = Boolean(on)) };
}

/** A part that opens and closes. */
export function more(summary, ...children) {
  return make("details", { className: "more" }, make("summary", {}, summary), ...children);
}

export const heading = (id, text, ...tools) =>
  make("div", { className: "panel-head" }, make("h2", { id }, text), make("div", { className: "panel-tools" }, ...tools));
