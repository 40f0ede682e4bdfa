/* Numbers as a person reads them. */

const MISSING = "–";
const finite = (value) => typeof value === "number" && Number.isFinite(value);

/** A number with a true minus sign. */
export function number(value, digits = 1) {
  if (!finite(value)) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "\u2212" : "") + text;
}

export function signed(value, digits = 1) {
  const text = number(value, digits);
  return finite(value) && Number(Math.abs(value).toFixed(digits)) !== 0 && value > 0 ? `+${text}` : text;
}

export const db = (value, digits = 1) => (finite(value) ? `${signed(value, digits)}\u00a0dB` : MISSING);

export function hertz(value) {
  if (!finite(value)) return MISSING;
  if (value < 100) return `${value.toFixed(1)}\u00a0Hz`;
  if (value < 1000) return `${value.toFixed(0)}\u00a0Hz`;
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)}\u00a0kHz`;
}

export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const tail = String(s % 60).padStart(2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${tail}` : `${m}:${tail}`;
}

export function bytes(count) {
  if (!finite(count)) return MISSING;
  if (count < 1e6) return `${Math.max(1, Math.round(count / 1e3))}\u00a0kB`;
  return count < 1e9 ? `${(count / 1e6).toFixed(1)}\u00a0MB` : `${(count / 1e9).toFixed(2)}\u00a0GB`;
}

/** "1.2k", "−3,5 dB", "+2" → number; NaN where there is none. */
export function parseNumber(text) {
  const found = /^\s*([+\u2212-]?\s*(?:\d+[.,]?\d*|[.,]\d+))\s*(k)?/i.exec(text);
  if (!found) return NaN;
  const value = Number(found[1].replace("\u2212", "-").replace(",", ".").replace(/\s/g, ""));
  return found[2] ? value * 1000 : value;
}

export const stem = (name) => name.replace(/\.[^.]{1,5}$/, "");
export const title = (name) => name.charAt(0).toUpperCase() + name.slice(1);
export const words = (name) => name.replaceAll("_", " ").replaceAll("-", " ");
