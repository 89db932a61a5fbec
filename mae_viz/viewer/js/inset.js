// The way of a refined file, enlarged in the corner of the plot that no curve comes to: a few bytes and tenths of a dB
// would be one dot on its axes.
import { drawing, label, points } from "./plot.js";

const SHARE = [0.36, 0.52]; // of the plot's width and height
const FILLED = 0.6; // of the inset, by the way
const LEAST = [90, 40]; // CSS pixels; a smaller inset says nothing
const MOST = 60; // times

/** SVG elements of it. `curves` and `trails`: [{colour, spots}] in the plot's units; `corner`: its right lower end;
 *  `room`: the plot's width and height. */
export function inset(curves, trails, corner, room) {
  const [wide, high] = room.map((side, i) => Math.round(side * SHARE[i]));
  const spots = trails.flatMap((trail) => trail.spots);
  if (wide < LEAST[0] || high < LEAST[1] || !spots.length) return [];
  const [xs, ys] = [0, 1].map((axis) => spots.map((spot) => spot[axis]));
  const span = (values) => Math.max(...values) - Math.min(...values);
  const middle = (values) => (Math.max(...values) + Math.min(...values)) / 2;
  const times = Math.min(MOST, (FILLED * wide) / span(xs), (FILLED * high) / span(ys));
  if (times < 2) return [];
  const at = ([x, y]) => [wide / 2 + (x - middle(xs)) * times, high / 2 + (y - middle(ys)) * times];
  const [left, top] = [corner[0] - wide, corner[1] - high];
  const drawn = drawing("svg", {
    x: left,
    y: top,
    width: wide,
    height: high,
    style: `width: ${wide}px; height: ${high}px; overflow: hidden`,
  });
  drawn.append(drawing("rect", { width: wide, height: high }));
  for (const { colour, spots } of curves)
    drawn.append(drawing("polyline", { points: points(spots.map(at)), stroke: colour, fill: "none" }));
  for (const { colour, spots } of trails) {
    const way = spots.map(at);
    const dashed = { points: points(way), stroke: colour, fill: "none", "stroke-dasharray": "3 2" };
    drawn.append(drawing("polyline", dashed));
    for (const [cx, cy] of way) drawn.append(drawing("circle", { cx, cy, r: 2.4, fill: colour }));
    const d = `M${way.at(-1).join()}m0-6l6 6-6 6-6-6z`;
    drawn.append(drawing("path", { d, fill: colour }));
  }
  drawn.append(label(wide - 5, high - 5, "end", `× ${times.toFixed(0)}`));
  return [drawn];
}
