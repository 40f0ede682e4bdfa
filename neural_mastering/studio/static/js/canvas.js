/* A canvas that is as sharp as the screen and redraws when its size, the colours or its data change. */

import { make, oncePerFrame } from "./dom.js";
import { onTheme } from "./theme.js";

/** `draw(pen, width, height)` in CSS pixels. Returns {node, redraw}. */
export function canvas(className, draw) {
  const node = make("canvas", { className, "aria-hidden": "true" });
  const pen = node.getContext("2d");
  const redraw = oncePerFrame(() => {
    const { clientWidth: width, clientHeight: height } = node;
    if (!width || !height) return;
    const sharp = Math.min(globalThis.devicePixelRatio || 1, 3);
    const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (node.width !== wide || node.height !== high) Object.assign(node, { width: wide, height: high });
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    draw(pen, width, height);
  });
  new ResizeObserver(redraw).observe(node);
  onTheme(redraw);
  return { node, redraw };
}

/** The path through points [[x, y], …]; leaves gaps where a value is missing. */
export function trace(pen, points) {
  let down = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(y)) down = false;
    else if (down) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      down = true;
    }
  }
}

/** Fills between two rows of points. */
export function fillBetween(pen, upper, lower, style) {
  pen.beginPath();
  trace(pen, upper);
  for (const [x, y] of lower.toReversed()) pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = style;
  pen.fill();
}

export function line(pen, points, style, width = 1.5, dash = []) {
  pen.beginPath();
  trace(pen, points);
  pen.setLineDash(dash);
  pen.lineWidth = width;
  pen.strokeStyle = style;
  pen.lineJoin = "round";
  pen.stroke();
  pen.setLineDash([]);
}
