// Made from mae_viz/viewer/js by bundle.js: change those files, then type make bundle.

// mae_viz/viewer/panes.json
var panes_default = {
  most: 4,
  layers: {
    picture: "picture",
    difference: "difference",
    bits: "bits per place",
    y: "channel y",
    ratio: "ratio of y"
  }
};

// mae_viz/viewer/js/brush.js
var TINT = "#ff2ea6";
var COVER = 0.42;
var PAINTED = 128;
var SIZES = { least: 0.02, most: 0.5, first: 0.12 };
var Brush = class {
  constructor(viewer) {
    this.viewer = viewer;
    this.on = false;
    this.size = SIZES.first;
    this.marks = [];
    this.stroke = null;
  }
  /** Another picture: what was painted on the one before goes with it. */
  forget() {
    const { width, height, codecs } = this.viewer.manifest;
    const key = codecs.find((codec) => codec.axis === "none").ladder;
    if (this.key === key) return;
    this.key = key;
    this.on = false;
    this.marks = [];
    this.canvas = new OffscreenCanvas(width, height);
    this.draw();
  }
  /** Across, in the picture's pixels. */
  get width() {
    const { width, height } = this.viewer.manifest;
    return Math.max(2, this.size * Math.min(width, height));
  }
  turn(on = !this.on) {
    const changed = this.on !== on;
    this.on = on;
    this.stroke = null;
    this.viewer.schedule();
    return changed;
  }
  // hands
  begin(canvas, point) {
    this.stroke = { width: this.width, points: [this.spot(canvas, point)] };
    this.marks.push(this.stroke);
    this.add(this.stroke);
  }
  extend(canvas, points2) {
    const { stroke } = this;
    const from = stroke.points.length - 1;
    stroke.points.push(...points2.map((point) => this.spot(canvas, point)));
    this.add({ ...stroke, points: stroke.points.slice(from) });
  }
  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.draw();
    this.measure();
  }
  /** A second finger has come: the two move the picture, and what the first one began was none. */
  cancel() {
    if (!this.stroke) return;
    this.marks.pop();
    this.stroke = null;
    this.draw();
    this.measure();
  }
  undo() {
    this.marks.pop();
    this.draw();
    this.measure();
  }
  clear() {
    this.marks = [];
    this.draw();
    this.measure();
  }
  /** The part of the picture that can be seen now. False where that is all of it. */
  markSeen() {
    const canvas = this.viewer.leading;
    const [left, top] = this.spot(canvas, [0, 0]).map((v) => Math.max(0, Math.round(v)));
    const { width, height } = this.viewer.manifest;
    const ends2 = this.spot(canvas, [canvas.width, canvas.height]);
    const [right, bottom] = [Math.min(width, Math.round(ends2[0])), Math.min(height, Math.round(ends2[1]))];
    if (right - left >= width && bottom - top >= height) return false;
    this.marks.push({ box: [left, top, right - left, bottom - top] });
    this.add(this.marks.at(-1));
    this.measure();
    return true;
  }
  spot(canvas, [x, y]) {
    const { scale: scale2, left, top } = this.viewer.view.place(canvas);
    return [(x - left) / scale2, (y - top) / scale2];
  }
  // what is painted
  draw() {
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const mark of this.marks) this.add(mark);
    this.viewer.schedule();
  }
  add({ box, width, points: points2 }) {
    const { context } = this;
    Object.assign(context, { strokeStyle: TINT, fillStyle: TINT, lineCap: "round", lineJoin: "round" });
    if (box) context.fillRect(...box);
    else {
      context.lineWidth = width;
      context.beginPath();
      for (const point of points2) context.lineTo(...point);
      context.lineTo(...points2.at(-1));
      context.stroke();
    }
    this.viewer.schedule();
  }
  /** Importance of each pixel, a byte, row by row. */
  get bytes() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    const out = new Uint8Array(width * height);
    for (let i = 0; i < out.length; i++) out[i] = data[4 * i + 3];
    return out;
  }
  measure() {
    const { bytes } = this;
    this.share = bytes.reduce((sum, alpha) => sum + (alpha >= PAINTED), 0) / bytes.length;
    this.viewer.schedule();
  }
  /** {bytes, share} of what is painted; null where nothing is. */
  mask() {
    return this.marks.length && this.share > 0 ? { bytes: this.bytes, share: this.share } : null;
  }
  /** The tint over a picture on a canvas, and around the cursor how wide the brush is. */
  paint(context, { left, top, scale: scale2 }) {
    if (!this.on || this.viewer.whole) return;
    const { width, height } = this.canvas;
    context.globalAlpha = COVER;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, left, top, width * scale2, height * scale2);
    context.globalAlpha = 1;
    const { cursor } = this.viewer;
    if (!cursor) return;
    const [x, y] = cursor.map((v, i) => [left, top][i] + (v + 0.5) * scale2);
    for (const [colour, wide] of [
      ["#000", 3],
      ["#fff", 1.5]
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.beginPath();
      context.arc(x, y, this.width * scale2 / 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }
};

// mae_viz/viewer/js/dom.js
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name2, value] of Object.entries(attributes)) {
    if (name2.startsWith("on")) element.addEventListener(name2.slice(2), value);
    else if (name2 === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name2, "");
    else if (value !== false && value !== null && value !== void 0) element.setAttribute(name2, value);
  }
  element.append(...children);
  return element;
}
function setText(node, text) {
  const { firstChild } = node;
  if (firstChild instanceof Text && firstChild === node.lastChild) {
    if (firstChild.data !== text) firstChild.data = text;
  } else if (node.textContent !== text) node.textContent = text;
}
function fill(select, options, value) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([v, text]) => h("option", { value: v, text })));
  }
  if (select.value !== String(value)) select.value = String(value);
  select.hidden = select.parentElement.hidden = !options.length;
}
function setSentence(node, text) {
  if (node.textContent === text) return;
  const parts2 = text.split(/(MS-SSIM)/).filter(Boolean);
  node.replaceChildren(...parts2.map((part) => part === "MS-SSIM" ? h("span", { class: "whole", text: part }) : part));
}

// mae_viz/viewer/js/plot.js
var space;
function drawing(tag, attributes = {}, ...children) {
  space ??= Object.assign(document.createElement("div"), { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;
  const element = document.createElementNS(space, tag);
  for (const [name2, value] of Object.entries(attributes)) element.setAttribute(name2, value);
  element.append(...children);
  return element;
}
var label = (x, y, anchor, words) => drawing("text", { x, y, "text-anchor": anchor }, words);
var points = (spots) => spots.map((spot) => spot.map((v) => v.toFixed(1)).join()).join(" ");
function moveDot(dot, spot, colour) {
  dot.style.display = spot ? "" : "none";
  if (!spot) return;
  dot.setAttribute("cx", spot[0]);
  dot.setAttribute("cy", spot[1]);
  dot.setAttribute("fill", colour);
}

// mae_viz/viewer/js/inset.js
var SHARE = [0.36, 0.52];
var FILLED = 0.6;
var LEAST = [90, 40];
var MOST = 60;
function inset(curves, trails, corner, room) {
  const [wide, high] = room.map((side, i) => Math.round(side * SHARE[i]));
  const spots = trails.flatMap((trail) => trail.spots);
  if (wide < LEAST[0] || high < LEAST[1] || !spots.length) return [];
  const [xs, ys] = [0, 1].map((axis) => spots.map((spot) => spot[axis]));
  const span = (values) => Math.max(...values) - Math.min(...values);
  const middle = (values) => (Math.max(...values) + Math.min(...values)) / 2;
  const times = Math.min(MOST, FILLED * wide / span(xs), FILLED * high / span(ys));
  if (times < 2) return [];
  const at = ([x, y]) => [wide / 2 + (x - middle(xs)) * times, high / 2 + (y - middle(ys)) * times];
  const [left, top] = [corner[0] - wide, corner[1] - high];
  const drawn = drawing("svg", {
    x: left,
    y: top,
    width: wide,
    height: high,
    style: `width: ${wide}px; height: ${high}px; overflow: hidden`
  });
  drawn.append(drawing("rect", { width: wide, height: high }));
  for (const { colour, spots: spots2 } of curves)
    drawn.append(drawing("polyline", { points: points(spots2.map(at)), stroke: colour, fill: "none" }));
  for (const { colour, spots: spots2 } of trails) {
    const way = spots2.map(at);
    const dashed = { points: points(way), stroke: colour, fill: "none", "stroke-dasharray": "3 2" };
    drawn.append(drawing("polyline", dashed));
    for (const [cx, cy] of way) drawn.append(drawing("circle", { cx, cy, r: 2.4, fill: colour }));
    const d = `M${way.at(-1).join()}m0-6l6 6-6 6-6-6z`;
    drawn.append(drawing("path", { d, fill: colour }));
  }
  drawn.append(label(wide - 5, high - 5, "end", `× ${times.toFixed(0)}`));
  return [drawn];
}

// mae_viz/viewer/js/numbers.js
var group = new Intl.NumberFormat("en", { useGrouping: true });
var lambdaText = (lmbda) => Number.isInteger(lmbda) ? `${lmbda}` : lmbda >= 1e3 ? lmbda.toFixed(0) : lmbda.toFixed(1);
var decibels = (v) => v === void 0 ? "n/a" : v === "inf" ? "∞" : `${v.toFixed(2)} dB`;
var score = (v) => v === null ? "n/a" : v.toFixed(1).replace("-", "−");
var bytesText = (n) => n === void 0 ? "–" : group.format(n).replaceAll(",", " ");
function short(v) {
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "n/a";
  const size = Math.abs(v);
  if (size && size < 1e-4 || size >= 1e6) {
    const [digits, power] = v.toExponential(1).split("e");
    const raised = [...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return `${digits.replace("-", "−")}·10${raised.join("")}`;
  }
  const text = size >= 100 ? bytesText(Math.round(v)) : size >= 10 ? v.toFixed(1) : size >= 0.1 || !size ? v.toFixed(2) : v.toPrecision(2);
  return text.replace("-", "−");
}
function percent(share) {
  if (!Number.isFinite(share)) return "n/a";
  if (share > 0 && share < 1e-3) return "under 0.1 %";
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
function rateText(codec, frame) {
  if (codec.axis === "none" || !frame) return "";
  return codec.axis === "lmbda" ? `λ ${lambdaText(frame.lmbda)}` : `${codec.unit} ${frame.at}`;
}
var COLUMNS = ["bytes", "bpp", "estimated_bpp", "psnr_db", "ms_ssim_db"];
function csv(picture, panes, further = []) {
  const rows = [["picture", "codec", "axis", "rate", "shown", ...COLUMNS, ...further, "model"]];
  for (const [codec, ladder] of new Map(panes.map((p) => [p.codec, p.ladder]))) {
    const shown = new Set(panes.filter((p) => p.codec === codec).map((p) => p.frame?.at));
    for (const f of [...ladder.frames].sort((a, b) => a.at - b.at)) {
      const rate = codec.axis === "lmbda" ? f.lmbda : codec.axis === "none" ? "" : f.at;
      const numbers = [...COLUMNS.map((name2) => f[name2]), ...further.map((name2) => f.further?.[name2])];
      rows.push([picture, codec.title, codec.axis, rate, shown.has(f.at) ? "yes" : "", ...numbers, codec.about]);
    }
  }
  const cell = (v) => {
    const text = String(v ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r
`).join("");
}

// mae_viz/viewer/js/curve.js
var METRICS = { psnr_db: "PSNR", ms_ssim_db: "MS-SSIM" };
var [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 8, 26];
var REACH = 14;
var Curve = class {
  /** `redraw()` is called where another metric is chosen or a point is pointed at, `choose(codec, frame)` where one is
   *  clicked. */
  constructor(redraw, choose) {
    this.redraw = redraw;
    this.metric = "psnr_db";
    this.metrics = Object.entries(METRICS).map(
      ([metric, text]) => h("button", { type: "button", text, "data-metric": metric, onclick: () => this.measure(metric) })
    );
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.trails = drawing("g", { class: "trails" });
    this.dots = drawing("g");
    this.marks = drawing("g", { class: "marks" });
    this.inset = drawing("g", { class: "inset" });
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Rate and quality of this picture: no file yet" },
      this.axes,
      this.lines,
      this.trails,
      this.dots,
      this.marks,
      this.inset
    );
    this.readout = h("p", { class: "readoff" });
    this.group = h("div", { class: "set", role: "group", "aria-label": "Quality in the plot" }, ...this.metrics);
    this.names = h("ul", { class: "names", "aria-label": "Colours of the curves" });
    this.size(330, 172);
    const caption = h("figcaption", {}, this.group, this.readout);
    this.element = h("figure", { class: "curve", hidden: true }, this.svg, this.names, caption);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", (event) => {
      const point = this.nearest(event);
      if (point) choose(point.codec, point.frame);
    });
  }
  /** The plot's size in CSS pixels. */
  size(wide, high) {
    if (this.wide === wide && this.high === high) return;
    Object.assign(this, { wide, high, key: null });
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  }
  measure(metric) {
    this.metric = metric;
    this.redraw();
  }
  value(frame) {
    const v = frame[this.metric];
    return Number.isFinite(v) ? v : null;
  }
  /** Called once a drawing frame: the curves are drawn anew only where there are more frames, the dots are moved.
   *  panes: [{codec, ladder, frame}] */
  describe(panes, dragging) {
    const ladders = new Map(panes.filter((p) => p.codec.axis !== "none").map((p) => [p.plain, p.plainLadder]));
    const trails = panes.filter((p) => p.refined).map(({ codec, refined }) => ({ codec, trail: refined.told.trail }));
    const curves = [...ladders].map(([codec, ladder]) => {
      const frames = ladder.frames.filter((f) => f.bytes && this.value(f) !== null).sort((a, b) => a.bytes - b.bytes);
      return { codec, ladder, frames };
    }).filter(({ frames }) => frames.length);
    this.element.hidden = !ladders.size;
    if (!curves.length) return;
    const key = JSON.stringify([
      this.metric,
      curves.map(({ ladder, frames }) => [ladder.id, frames.length]),
      trails.map(({ codec, trail }) => [codec.title, trail.length])
    ]);
    if (key !== this.key) this.draw(curves, trails);
    this.key = key;
    const dotted = panes.filter((p) => p.frame?.bytes);
    this.moveDots(dotted.filter((p) => this.value(p.frame) !== null));
    if (dragging) return;
    for (const button of this.metrics)
      button.setAttribute("aria-pressed", String(button.dataset.metric === this.metric));
    const dots = dotted.map(
      ({ codec, frame }) => `${codec.title} ${frame.bpp.toFixed(3)} bpp, ${decibels(frame[this.metric])}`
    );
    this.svg.setAttribute("aria-label", `Rate and ${METRICS[this.metric]} of this picture. Shown: ${dots.join("; ")}`);
    if (!this.pointed) setText(this.readout, "click a point to go to its rate");
  }
  draw(curves, trails) {
    const { wide, high: tall } = this;
    const measured = trails.map(({ codec, trail }) => ({ codec, trail: trail.filter((f) => this.value(f) !== null) }));
    const frames = [...curves.flatMap((c) => c.frames), ...measured.flatMap((t) => t.trail)];
    const values = frames.map((f) => this.value(f));
    const rates = frames.map((f) => f.bpp);
    const [low, high] = [Math.log2(Math.min(...rates)) - 0.15, Math.log2(Math.max(...rates)) + 0.15];
    const rise = Math.max(1, Math.max(...values) - Math.min(...values));
    const [least, most] = [Math.min(...values) - 0.04 * rise, Math.max(...values) + 0.04 * rise];
    const x = (b) => LEFT + (Math.log2(b) - low) / (high - low) * (wide - LEFT - RIGHT);
    const y = (v) => tall - BOTTOM - (v - least) / (most - least) * (tall - TOP - BOTTOM);
    this.at = (f) => [x(f.bpp), y(this.value(f))];
    const xTicks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].filter(
      (b) => Math.log2(b) >= low && Math.log2(b) <= high
    );
    const step = [1, 2, 5, 10, 20].find((s) => rise / s <= 5) ?? 50;
    const yTicks = [];
    for (let v = Math.ceil(least / step) * step; v <= most; v += step) yTicks.push(v);
    this.axes.replaceChildren(
      ...xTicks.flatMap((b) => [
        drawing("path", { d: `M${x(b)} ${TOP}V${tall - BOTTOM}` }),
        label(x(b), tall - BOTTOM + 11, "middle", `${b}`)
      ]),
      ...yTicks.flatMap((v) => [
        drawing("path", { d: `M${LEFT} ${y(v)}H${wide - RIGHT}` }),
        label(LEFT - 5, y(v) + 3.5, "end", `${v}`)
      ]),
      label(wide - RIGHT, tall - 3, "end", "bits per pixel"),
      label(LEFT + 4, TOP + 9, "start", `${METRICS[this.metric]}, dB`)
      // no curve begins in this corner
    );
    this.names.replaceChildren(
      ...[...curves, ...trails].map(({ codec }) => {
        const swatch = h("i", { class: "swatch", style: `background: ${codec.colour}`, "aria-hidden": "true" });
        return h("li", { "data-codec": codec.id, title: codec.title }, swatch, codec.short);
      })
    );
    this.points = curves.flatMap(
      ({ codec, frames: frames2 }) => frames2.map((frame) => ({ codec, frame, spot: this.at(frame) }))
    );
    this.lines.replaceChildren(
      ...curves.map(({ codec, frames: frames2 }) => {
        const line = { points: points(frames2.map(this.at)), stroke: codec.colour, fill: "none" };
        return drawing("polyline", { ...line, "data-codec": codec.id });
      }),
      ...this.points.map(({ codec, spot: [cx, cy] }) => drawing("circle", { cx, cy, r: 1.8, fill: codec.colour }))
    );
    const seen = (list) => list.map(({ codec, frames: frames2, trail }) => ({ colour: codec.colour, spots: (frames2 ?? trail).map(this.at) }));
    const corner = [wide - RIGHT - 4, tall - BOTTOM - 4];
    this.inset.replaceChildren(
      ...inset(seen(curves), seen(measured), corner, [wide - LEFT - RIGHT, tall - TOP - BOTTOM])
    );
    this.trails.replaceChildren(
      ...measured.flatMap(({ codec, trail }) => {
        const spots = trail.map(this.at);
        const line = { points: points(spots), stroke: codec.colour, fill: "none", "stroke-dasharray": "3 2" };
        const marks = spots.map(([cx, cy]) => drawing("circle", { cx, cy, r: 1.6, fill: codec.colour }));
        return [drawing("polyline", { ...line, "data-codec": codec.id }), ...marks];
      })
    );
  }
  moveDots(panes) {
    const [plain, refined] = [panes.filter((p) => !p.refined), panes.filter((p) => p.refined)];
    while (this.dots.children.length > plain.length) this.dots.lastChild.remove();
    while (this.dots.children.length < plain.length) this.dots.append(drawing("circle", { r: 5, class: "dot" }));
    plain.forEach((pane, i) => {
      const dot = this.dots.children[i];
      moveDot(dot, this.at(pane.frame), pane.codec.colour);
      dot.dataset.codec = pane.codec.id;
    });
    this.marks.replaceChildren(
      ...refined.map(({ frame, codec }) => {
        const d = `M${this.at(frame).join()}m0-6.5l6.5 6.5-6.5 6.5-6.5-6.5z`;
        return drawing("path", { d, fill: codec.colour, "data-codec": codec.id });
      })
    );
  }
  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * this.wide / box.width;
    const y = (event.clientY - box.top) * this.high / box.height;
    const away = ({ spot }) => Math.hypot(spot[0] - x, spot[1] - y);
    const best = this.points?.reduce((a, b) => away(b) < away(a) ? b : a);
    return best && away(best) <= REACH ? best : null;
  }
  point(event) {
    this.pointed = event && this.nearest(event);
    this.svg.style.cursor = this.pointed ? "pointer" : "";
    if (!this.pointed) return this.redraw();
    const { codec, frame } = this.pointed;
    const size = `${bytesText(frame.bytes)} bytes, ${frame.bpp.toFixed(3)} bpp`;
    setText(this.readout, `${codec.title}, ${rateText(codec, frame)}: ${size}, ${decibels(frame[this.metric])}`);
  }
};

// mae_viz/viewer/js/view.js
var STEPS = [1, 2, 4, 8];
var View = class {
  zoom = 0;
  x = 0.5;
  y = 0.5;
  #picture;
  #leading;
  #changed;
  /** `picture()`: what is on show, {width, height}; `leading()`: the canvas that keys move it in; `changed()` is called
   *  after every move. */
  constructor(picture, leading, changed) {
    this.#picture = picture;
    this.#leading = leading;
    this.#changed = changed;
  }
  #fit(canvas) {
    const { width, height } = this.#picture();
    return Math.min(canvas.width / width, canvas.height / height);
  }
  /** Scale and offset that show the picture on a canvas. */
  place(canvas) {
    const picture = this.#picture();
    const fit = this.#fit(canvas);
    const scale2 = this.zoom || fit;
    const middle = (size, length, at) => {
      const drawn = length * scale2;
      return Math.round(
        drawn <= size ? (size - drawn) / 2 : Math.min(0, Math.max(size - drawn, size / 2 - at * drawn))
      );
    };
    return {
      scale: scale2,
      left: middle(canvas.width, picture.width, this.x),
      top: middle(canvas.height, picture.height, this.y)
    };
  }
  /** The picture's pixel under a canvas point, [x, y]; null beside the picture. */
  pixelAt(canvas, x, y) {
    const { scale: scale2, left, top } = this.place(canvas);
    const { width, height } = this.#picture();
    const pixel = [Math.floor((x - left) / scale2), Math.floor((y - top) / scale2)];
    return pixel[0] >= 0 && pixel[1] >= 0 && pixel[0] < width && pixel[1] < height ? pixel : null;
  }
  zoomTo(zoom2) {
    this.zoom = zoom2;
    this.#changed();
  }
  zoomBy(direction, canvas = this.#leading(), point = [canvas.width / 2, canvas.height / 2]) {
    this.zoomAt(canvas, ...point, nextStep(this.place(canvas).scale, this.#fit(canvas), direction));
  }
  /** Zoom so that the picture point under (x, y) stays there. */
  zoomAt(canvas, x, y, zoom2) {
    const picture = this.#picture();
    const before = this.place(canvas);
    const u = (x - before.left) / before.scale;
    const v = (y - before.top) / before.scale;
    this.zoom = zoom2 && Math.min(STEPS.at(-1), Math.max(0.05, zoom2));
    const { scale: scale2 } = this.place(canvas);
    this.x = (u + (canvas.width / 2 - x) / scale2) / picture.width;
    this.y = (v + (canvas.height / 2 - y) / scale2) / picture.height;
    this.#moved(canvas);
  }
  /** After a pinch: to the nearest exact step, or to fit below it. */
  snap(canvas) {
    const { scale: scale2 } = this.place(canvas);
    const nearest = STEPS.reduce((a, b) => Math.abs(Math.log(b / scale2)) < Math.abs(Math.log(a / scale2)) ? b : a);
    this.zoomAt(canvas, canvas.width / 2, canvas.height / 2, scale2 <= this.#fit(canvas) * 1.1 ? 0 : nearest);
  }
  /** Move the picture by canvas pixels. */
  pan(dx, dy, canvas = this.#leading()) {
    const picture = this.#picture();
    const { scale: scale2 } = this.place(canvas);
    this.x -= dx / (scale2 * picture.width);
    this.y -= dy / (scale2 * picture.height);
    this.#moved(canvas);
  }
  /** Keeps the middle where the picture still covers the canvas. */
  #moved(canvas) {
    const picture = this.#picture();
    const { scale: scale2 } = this.place(canvas);
    const limit = (size, length, at) => {
      const half = size / (2 * length * scale2);
      return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
    };
    this.x = limit(canvas.width, picture.width, this.x);
    this.y = limit(canvas.height, picture.height, this.y);
    this.#changed();
  }
  /** From a part of a picture to the whole, or back: what was in the middle stays there. `part` is [left, top]. */
  move(from, to, [left, top]) {
    const sign = to.width > from.width || to.height > from.height ? 1 : -1;
    this.x = Math.min(1, Math.max(0, (this.x * from.width + sign * left) / to.width));
    this.y = Math.min(1, Math.max(0, (this.y * from.height + sign * top) / to.height));
  }
};
function nextStep(scale2, fit, direction) {
  if (direction > 0) return STEPS.find((s) => s > scale2 + 1e-6) ?? STEPS.at(-1);
  const lower2 = STEPS.filter((s) => s < scale2 - 1e-6).at(-1);
  return lower2 && lower2 > fit ? lower2 : 0;
}

// mae_viz/viewer/js/input.js
var HELP = [
  [", .", "one frame lower / higher λ (with Shift: 1/64 octave)"],
  ["0 1 2 4 8", `fit, ${STEPS.map(percent).join(", ")}`],
  ["+ −", "zoom in, out"],
  ["arrows", "move the picture (on the slider: λ)"],
  ["S W B", "side by side, wipe, blink; W and B again: back"],
  ["X", "swap the sides"],
  ["M", "match the bytes, and let go again"],
  ["space", "blink by hand"],
  ["O", "hold: show the original"],
  ["D", "difference from the original, on and off"],
  ["L", "next layer"],
  ["N P", "next, previous channel by bits"],
  ["?", "this list"]
];
function keyList() {
  const rows = HELP.map(
    ([keys, text]) => h("div", {}, h("dt", {}, ...keys.split(" ").map((k) => h("kbd", { text: k }))), h("dd", { text }))
  );
  return h("dl", { class: "keys", hidden: true }, ...rows);
}
function listen(viewer, signal) {
  const { element, slider } = viewer;
  const onUp = ({ key }) => {
    if (key === "o" || key === "O") viewer.showOriginal(false);
  };
  element.addEventListener("keydown", (event) => onKey(viewer, event));
  element.addEventListener("keyup", onUp);
  if (viewer.laboratory) {
    const { body } = document;
    addEventListener("keydown", (event) => event.target === body && onKey(viewer, event), { capture: true, signal });
    addEventListener("keyup", (event) => event.target === body && onUp(event), { signal });
  }
  element.addEventListener("focusout", () => viewer.showOriginal(false));
  slider.addEventListener("input", () => viewer.drag(+slider.value));
  slider.addEventListener("change", () => viewer.release());
}
function onKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  const { key } = event;
  if (/^(SELECT|TEXTAREA)$/.test(target.tagName) || target.tagName === "INPUT" && target !== viewer.slider) return;
  const own = target === viewer.slider ? SLIDER : target.getAttribute?.("role") === "slider" ? HANDLE : {};
  const stage = target.classList.contains("stage") ? STAGE : {};
  const action = own[key] ?? KEYS[key] ?? KEYS[key.toLowerCase()] ?? stage[key];
  if (!action || action(viewer, event, target) === false) return;
  event.preventDefault();
  event.stopPropagation();
}
var turn = (direction) => (viewer, { shiftKey }) => viewer.step(viewer.index + direction * (shiftKey ? 1 : viewer.frameStep));
var jump = (steps) => (viewer) => viewer.step(viewer.index + steps);
var wipe = (share) => (viewer) => viewer.moveWipe(viewer.wipe + share);
var move = (dx, dy) => ({ view, leading: { width, height } }) => view.pan(-dx * 0.1 * width, -dy * 0.1 * height);
var zoom = (direction) => ({ view }) => view.zoomBy(direction);
var mode = (name2) => (viewer) => viewer.turnMode(name2);
var [lower, higher] = [turn(-1), turn(1)];
var SLIDER = {
  ArrowLeft: lower,
  ArrowDown: lower,
  ArrowRight: higher,
  ArrowUp: higher,
  PageDown: jump(-64),
  PageUp: jump(64),
  Home: (viewer) => viewer.step(0),
  End: (viewer) => viewer.step(viewer.manifest.rate.last)
};
var HANDLE = { ArrowLeft: wipe(-0.02), ArrowRight: wipe(0.02) };
var STAGE = { ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1) };
var KEYS = {
  ",": lower,
  "<": lower,
  ".": higher,
  ">": higher,
  ":": higher,
  ...Object.fromEntries([0, ...STEPS].map((step) => [step, ({ view }) => view.zoomTo(step)])),
  "+": zoom(1),
  "=": zoom(1),
  "-": zoom(-1),
  "−": zoom(-1),
  s: (viewer) => viewer.mode !== "side" && viewer.turnMode("side"),
  x: (viewer) => viewer.swapSides(),
  m: (viewer) => viewer.setMatch("bytes"),
  w: mode("wipe"),
  b: mode("blink"),
  " ": (viewer, _, target) => viewer.mode === "blink" && target.tagName !== "BUTTON" && viewer.flip(),
  o: (viewer) => viewer.showOriginal(true),
  d: ({ active }) => {
    if (active.layers.length < 2) return;
    const { layer, layerBefore = "picture" } = active;
    active.layerBefore = layer === "difference" ? void 0 : layer;
    active.choose({ layer: layer === "difference" ? layerBefore : "difference" });
  },
  l: ({ active }) => active.choose({ layer: active.layers[(active.layers.indexOf(active.layer) + 1) % active.layers.length] }),
  n: (viewer) => viewer.nextChannel(1),
  p: (viewer) => viewer.nextChannel(-1),
  "?": ({ controls }) => controls.toggleKeys(),
  Escape: ({ controls, laboratory, brush }) => controls.toggleKeys(false) || Boolean(laboratory?.restore()) || brush.turn(false)
};
function listenStage(viewer, stage, canvas) {
  const fingers = /* @__PURE__ */ new Map();
  let pinch = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      (event.clientX - box.left) * canvas.width / box.width,
      (event.clientY - box.top) * canvas.height / box.height
    ];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (stage === viewer.sharedStage) viewer.activateAt(at(event)[0]);
    if (event.button || event.target.getAttribute("role") === "slider") return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    if (fingers.size > 1) viewer.brush.cancel();
    else if (viewer.brush.on) viewer.brush.begin(canvas, at(event));
    pinch = fingers.size === 2 ? { apart: apart(fingers), scale: viewer.view.place(canvas).scale } : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const here = at(event);
    const before = fingers.get(event.pointerId);
    if (!before || viewer.brush.stroke) viewer.point(canvas, here);
    if (!before) return;
    fingers.set(event.pointerId, here);
    if (viewer.brush.stroke) return viewer.brush.extend(canvas, all(event).map(at));
    if (pinch && fingers.size === 2) {
      const [a, b] = [...fingers.values()];
      const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      const [x, y] = pinch.middle ?? middle;
      pinch.middle = middle;
      viewer.view.pan(middle[0] - x, middle[1] - y, canvas);
      viewer.view.zoomAt(canvas, ...middle, pinch.scale * apart(fingers) / pinch.apart);
    } else if (!viewer.brush.on) viewer.view.pan(here[0] - before[0], here[1] - before[1], canvas);
  });
  const up = (event) => {
    fingers.delete(event.pointerId);
    viewer.brush.end();
    if (pinch && fingers.size < 2) {
      pinch = null;
      viewer.view.snap(canvas);
    }
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("pointerleave", () => viewer.point());
  stage.addEventListener("dblclick", (event) => {
    if (!viewer.brush.on) viewer.view.zoomAt(canvas, ...at(event), viewer.view.zoom ? 0 : 1);
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      const zooms = viewer.laboratory && (viewer.view.zoom || event.deltaY < 0);
      if (!event.ctrlKey && !zooms) return;
      event.preventDefault();
      viewer.wheel = (viewer.wheel ?? 0) + event.deltaY;
      if (Math.abs(viewer.wheel) < 40) return;
      viewer.view.zoomBy(viewer.wheel < 0 ? 1 : -1, canvas, at(event));
      viewer.wheel = 0;
    },
    { passive: false }
  );
}
var all = (event) => {
  const found = event.getCoalescedEvents?.() ?? [];
  return found.length ? found : [event];
};
var apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
};

// mae_viz/viewer/js/bench.js
var Bench = class {
  constructor(viewer) {
    this.viewer = viewer;
    this.refinements = viewer.refinements;
    this.brush = viewer.brush;
    this.pane = null;
    this.build();
  }
  build() {
    const { refinements, brush, viewer } = this;
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    const current = () => refinements.current(this.pane);
    this.said = h("p", { class: "told" });
    this.hint = h("p", { class: "hint" });
    this.progress = h("progress", { max: 1, "aria-label": "Steps of the refinement" });
    this.status = h("span", { class: "status", role: "status" });
    this.size = h("input", {
      type: "range",
      min: SIZES.least,
      max: SIZES.most,
      step: 0.01,
      value: SIZES.first,
      oninput: () => this.resize()
    });
    this.buttons = {
      refine: button("Refine", "Refine the file for what is painted", () => refinements.start(this.pane)),
      seen: button("What I see now", "The part of the picture that can be seen is important", () => this.markSeen()),
      undo: button("Undo", "Take back what was painted last", () => brush.undo()),
      clear: button("Clear", "Nothing is painted", () => brush.clear()),
      stop: button("Stop", "Stop here: the best file stays", () => refinements.stop(current())),
      again: button("Refine here", "Refine the file at this λ", () => refinements.start(this.pane)),
      back: button("Back", "To the λ of the refined file", () => viewer.step(current().at)),
      plain: button("Show plain", "The plain file of this λ, and back", () => this.showPlain(current())),
      compare: button(
        "Compare at equal bytes",
        "The plain codec beside it, with a file as long",
        () => refinements.compare(current())
      ),
      bits: button("Bits that moved", "Open the panel Bits", () => viewer.laboratory.bring("bits")),
      paint: button("Paint importance", "Paint what is important", () => this.paint(this.pane)),
      save: button("Save .mae", "Save the refined file", () => this.save(current())),
      close: h("button", { type: "button", class: "close", text: "✕", onclick: () => this.close() })
    };
    const tools = h("div", { class: "turns", role: "group", "aria-label": "What can be done" });
    name(this.buttons.close, "✕", "Close");
    this.sized = h("label", { class: "sized" }, "Brush", this.size);
    tools.append(this.sized, ...Object.values(this.buttons));
    this.element = h("section", { class: "bench", "aria-label": "Refinement", hidden: true });
    this.element.append(this.said, this.progress, this.hint, tools, this.status);
  }
  /** The buttons of a pane's card. */
  acts(pane) {
    const refine = h("button", { type: "button", class: "refine", onclick: () => this.refinements.turn(pane) });
    const paint2 = h("button", { type: "button", class: "paint", text: "Paint", onclick: () => this.paint(pane) });
    return h("div", { class: "acts", role: "group", "aria-label": "Refine", hidden: true }, refine, paint2);
  }
  // what people do
  open(pane) {
    this.pane = pane;
    this.brush.turn(false);
    this.viewer.schedule();
  }
  paint(pane) {
    const on = !(this.brush.on && this.pane === pane);
    this.open(pane);
    this.brush.turn(on);
  }
  resize() {
    this.brush.size = +this.size.value;
    this.viewer.schedule();
  }
  markSeen() {
    this.allSeen = !this.brush.markSeen();
    this.viewer.schedule();
  }
  showPlain(refinement) {
    refinement.hidden = !refinement.hidden;
    this.viewer.changed(false);
  }
  async save({ frame, ladder, plain }) {
    const { host, manifest } = this.viewer;
    const href = URL.createObjectURL(await host.bytes(ladder.id, frame.stream));
    h("a", { href, download: `${manifest.title}-${plain.id}-refined-${lambdaText(frame.lmbda)}.mae` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1e4);
  }
  close() {
    const focus = this.pane.acts.querySelector("button");
    this.pane = null;
    this.brush.turn(false);
    this.viewer.draw();
    focus.focus();
  }
  // what stands there
  describeActs(pane) {
    const { acts } = pane;
    acts.hidden = !this.refinements.offered(pane);
    if (acts.hidden || this.viewer.dragging) return;
    const [refine, paint2] = acts.children;
    const works = this.refinements.worksIn(pane);
    const { title } = pane.plain;
    name(refine, works ? "Stop" : "Refine", works ? "Stop refining: the best file stays" : `Refine ${title} at this λ`);
    name(paint2, "Paint", `Paint what is important, for ${title}`);
    paint2.setAttribute("aria-pressed", String(this.brush.on && this.pane === pane));
  }
  describe() {
    const { viewer, refinements, brush, element, buttons } = this;
    viewer.element.toggleAttribute("data-painting", brush.on && !viewer.whole);
    if (viewer.dragging) return;
    if (!viewer.panes.includes(this.pane)) this.pane = null;
    const offered = Boolean(this.pane && refinements.offered(this.pane));
    const painting = offered && brush.on;
    const refinement = offered && !painting ? refinements.current(this.pane) : null;
    element.hidden = !(painting || refinement);
    viewer.laboratory.say.hidden = !element.hidden;
    if (element.hidden) return;
    const here = refinement?.at === this.pane.at;
    const there = Boolean(refinement?.frame);
    const works = Boolean(refinement?.works);
    const shown = {
      refine: painting,
      seen: painting,
      undo: painting,
      clear: painting,
      stop: works,
      again: refinement && !works,
      back: there && !here,
      plain: there && here,
      compare: there && here && !refinement.hidden,
      bits: there && here && !viewer.laboratory.kinds.includes("bits"),
      paint: refinement && !works,
      save: there && !works,
      close: true
    };
    for (const [key, node] of Object.entries(buttons)) node.hidden = !shown[key];
    this.sized.hidden = !painting;
    this.progress.hidden = !works;
    buttons.refine.disabled = !brush.mask();
    buttons.undo.disabled = buttons.clear.disabled = !brush.marks.length;
    const state = painting ? "painting" : stateOf(refinement);
    Object.assign(element.dataset, { state, here });
    if (painting) this.describeBrush();
    else this.describeRefinement(refinement, here);
    const news = painting ? brush.share : refinement.at;
    if (this.announced !== `${state} ${news}`) {
      this.announced = `${state} ${news}`;
      setText(this.status, this.said.textContent);
    }
  }
  describeBrush() {
    const { share, marks, stroke } = this.brush;
    const known = marks.length ? `${percent(share)} of the picture is painted` : "nothing is painted yet";
    const much = stroke ? "…" : known;
    const all2 = this.allSeen && !this.viewer.view.zoom ? " All of it can be seen now: zoom in first." : "";
    setText(this.said, `Paint what is important in the picture: ${much}${stroke ? "" : "."}${all2}`);
    setText(
      this.hint,
      "Drag over it; two fingers move and zoom. Or zoom in and say that it is what you see now. Refine then looks for a file as long as the plain one that spends its bits there."
    );
    this.size.setAttribute("aria-valuetext", `${Math.round(this.brush.width)} pixels of the picture`);
  }
  describeRefinement(refinement, here) {
    const { told, at } = refinement;
    this.progress.value = told && !told.waits ? told.step / told.steps : 0;
    const where = `λ ${lambdaText(this.viewer.lmbdaAt(at))}`;
    setText(this.buttons.again, here ? "Refine again" : "Refine here");
    setText(this.buttons.back, `Back to ${where}`);
    this.buttons.plain.setAttribute("aria-pressed", String(refinement.hidden));
    const moved = here ? "" : `Shown is the plain file: the refined one is at ${where}. `;
    setText(this.said, moved + sentence(refinement, where));
    setText(this.hint, this.whatToLookFor(refinement, here));
  }
  whatToLookFor(refinement, here) {
    if (refinement.fault) return "";
    if (!here) return "Each refined file belongs to one λ: go back to it, or have the file of this λ refined too.";
    const bits = this.viewer.laboratory.kinds.includes("bits") ? "in Bits, orange places have more bits than before and blue ones fewer" : "the panel Bits shows which places gained bits and which lost some";
    const first = refinement.mask ? "what is painted gains more than the rest, at the same number of bytes" : refinement.works ? "the point leaves the plain curve, to the left or up" : "fewer bytes or more dB than the plain curve has there";
    return `What to look for now: ${first}; ${bits}. The decoder is the same.`;
  }
};
var signed = (v, digits) => `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(digits)}`;
var db = (v) => v === "inf" ? Infinity : v;
function name(button, text, title) {
  setText(button, text);
  if (button.title === title) return;
  button.title = title;
  button.setAttribute("aria-label", title);
}
function stateOf({ fault, works, told, stopped }) {
  if (fault) return "failed";
  if (works) return told?.waits ? "waiting" : "working";
  return stopped ? "stopped" : "done";
}
function sentence(refinement, where) {
  const { told, fault, frame, works, plain } = refinement;
  if (fault) return `${plain.title} at ${where} cannot be refined: ${fault}`;
  if (works && (!told || told.waits)) return `${plain.title} at ${where} is to be refined: ${turn2(told)}.`;
  if (!frame && works) return `${plain.title} at ${where} is being refined: the first look is coming.`;
  if (!frame) return `${plain.title} at ${where}: stopped before there was a better file.`;
  const { bytes, bpp, psnr_db } = frame;
  const numbers = `${bytesText(bytes)} bytes, ${bpp.toFixed(3)} bpp, ${db(psnr_db).toFixed(2)} dB`;
  const coded = refinement.mask ? `, coded at λ ${lambdaText(frame.lmbda)}` : "";
  const against = `${difference(told.trail[0], frame)} against the plain file`;
  return `${refinement.codec.title}, ${where}: ${numbers}${coded}. ${against} (${stand(refinement)}).${parts(told)}`;
}
var turn2 = (told) => {
  const before = told?.before ?? 0;
  if (!before) return "it waits for its turn";
  return before > 1 ? `${before} others come first` : "another one comes first";
};
function stand({ works, stopped, told: { step, steps, seconds, seconds_left: left } }) {
  if (works) return `step ${step} of ${steps}${left === void 0 ? "" : `, ${Math.ceil(left)} s left`}`;
  if (stopped) return `stopped at step ${step} of ${steps}, the best file stays`;
  return `${steps} steps in ${seconds.toFixed(0)} s`;
}
function difference(plain, file) {
  const more = file.bytes - plain.bytes;
  const bytes = `${more < 0 ? "−" : "+"}${bytesText(Math.abs(more))} bytes`;
  const share = signed(100 * more / plain.bytes, 1);
  return `${bytes} (${share} %), ${signed(db(file.psnr_db) - db(plain.psnr_db), 2)} dB`;
}
function parts({ painted, rest }) {
  if (!painted) return "";
  const said = ({ before_db: a, after_db: b }) => `${db(a).toFixed(2)} → ${db(b).toFixed(2)} dB (${signed(db(b) - db(a), 2)})`;
  return ` Painted: ${said(painted)}; elsewhere: ${said(rest)}.`;
}

// mae_viz/viewer/colour_maps.json
var colour_maps_default = {
  sequential: ["#0b1033", "#1f3b73", "#2c6e8f", "#4fa58a", "#b6cf5e", "#fff2a8"],
  diverging: ["#123b7a", "#5b8fc9", "#f6f5f0", "#dd8a3c", "#7a2f08"],
  negative: ["#ffd9ee", "#ee4fa6", "#8f0a5c"],
  octaves: 2,
  hatch: ["#b9bcc0", "#8d9196"]
};

// mae_viz/viewer/js/colour.js
var OCTAVES = colour_maps_default.octaves;
var HATCH = colour_maps_default.hatch;
var table = (stops) => {
  const rgb = stops.map((s) => [1, 3, 5].map((i) => parseInt(s.slice(i, i + 2), 16)));
  const out = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const t = i / 255 * (rgb.length - 1);
    const k = Math.min(Math.floor(t), rgb.length - 2);
    const f = t - k;
    const [r, g, b] = rgb[k].map((c, j) => Math.round(c + f * (rgb[k + 1][j] - c)));
    out[i] = 255 << 24 | b << 16 | g << 8 | r;
  }
  return out;
};
var TABLES = Object.fromEntries(["sequential", "diverging", "negative"].map((name2) => [name2, table(colour_maps_default[name2])]));
var level = (t) => t <= 0 ? 0 : t >= 1 ? 255 : Math.round(t * 255);
var gradient = (stops) => `linear-gradient(to right, ${stops.join(", ")})`;
function range(plane) {
  let low = Infinity;
  let high = -Infinity;
  for (const v of plane) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}
function ratioOf(a, b, share) {
  let largest2 = 0;
  for (const v of b) largest2 = Math.max(largest2, Math.abs(v));
  const values = new Float64Array(a.length).fill(NaN);
  let kept = 0;
  let weight = 0;
  let mean = 0;
  let spread = 0;
  let negative = 0;
  for (let i = 0; i < a.length; i++) {
    if (!largest2 || Math.abs(b[i]) < share * largest2) continue;
    const r = a[i] / b[i];
    const w = b[i] * b[i];
    values[i] = r;
    kept++;
    if (r < 0) negative++;
    weight += w;
    mean += w * r;
  }
  mean /= weight;
  for (let i = 0; i < a.length; i++) if (!Number.isNaN(values[i])) spread += b[i] * b[i] * (values[i] - mean) ** 2;
  const constancy = mean ? Math.sqrt(spread / weight) / Math.abs(mean) : Infinity;
  return { values, masked: 1 - kept / a.length, negative: kept ? negative / kept : 0, mean, constancy };
}
function colours(kind, values, top) {
  const out = new Uint32Array(values.length);
  const { sequential, diverging, negative } = TABLES;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (kind === "bits") out[i] = sequential[level(v / top)];
    else if (kind === "y" || kind === "moved") out[i] = diverging[level(0.5 + v / (2 * top))];
    else if (Number.isNaN(v))
      out[i] = 0;
    else {
      const t = 0.5 + Math.log2(Math.abs(v) / Math.abs(top)) / (2 * OCTAVES);
      out[i] = (v < 0 ? negative : diverging)[level(t)];
    }
  }
  return out;
}
function scale(kind, top) {
  if (kind === "bits") return { css: gradient(colour_maps_default.sequential), labels: ["0", "", `${short(top)} bits`] };
  if (kind === "y") return { css: gradient(colour_maps_default.diverging), labels: [short(-top), "0", short(top)] };
  if (kind === "moved")
    return { css: gradient(colour_maps_default.diverging), labels: [`${short(-top)} bits`, "0", `+${short(top)} bits`] };
  const end = 2 ** OCTAVES;
  return {
    css: gradient(colour_maps_default.diverging),
    labels: [short(top / end), `mean ${short(top)}`, short(top * end)],
    second: gradient(colour_maps_default.negative)
  };
}

// mae_viz/viewer/js/panel.js
var OFF = 1;
function take(ladder, kind, at, channel, alone = false) {
  const frame = ladder.nearest(at, (f) => ladder.get(f, kind, channel));
  const asset = ladder.get(frame, kind, channel);
  const shown = frame && ladder.source(frame, kind, channel).key;
  return { frame, asset, want: { ladder, kind, channel, at, shown, alone } };
}
var Panel = class {
  /** `laboratory`: where it stands; `kind`: its name there. */
  constructor(laboratory, kind) {
    this.laboratory = laboratory;
    this.viewer = laboratory.viewer;
    this.kind = kind;
    this.width = this.height = 0;
    this.besideRival = false;
    const button = (text, label2, onclick) => h("button", { type: "button", class: "icon", text, "aria-label": label2, title: label2, onclick });
    this.chooser = h(
      "select",
      { class: "kind", "aria-label": "Panel shown here", onchange: (e) => laboratory.swap(this.kind, e.target.value) },
      ...Object.entries(laboratory.titles).map(([value, text]) => h("option", { value, text }))
    );
    this.chooser.value = kind;
    this.enlarge = button("⤢", `Enlarge ${laboratory.titles[kind]}`, () => laboratory.enlarge(kind));
    this.close = button("✕", `Close ${laboratory.titles[kind]}`, () => laboratory.close(kind));
    this.extras = h("span", { class: "extras" });
    this.body = h("div", { class: "body" });
    this.caption = h("p", { class: "caption" });
    const head = h("header", {}, this.chooser, this.extras, this.enlarge, this.close);
    this.element = h("section", { class: "panel", "data-kind": kind }, head, this.body, this.caption);
    this.element.setAttribute("aria-label", laboratory.titles[kind]);
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      [this.width, this.height] = [contentRect.width, contentRect.height];
      this.viewer.schedule();
    });
    this.sizes.observe(this.body);
    this.inSight = true;
    this.sight = new IntersectionObserver((entries) => {
      this.inSight = entries.at(-1).isIntersecting;
      this.viewer.schedule();
    });
    this.sight.observe(this.element);
  }
  /** Whether it is drawn: while λ moves, only what is not scrolled out of sight. */
  get drawn() {
    return this.width > 0 && this.height > 0 && (this.inSight || !this.viewer.dragging);
  }
  say(text) {
    setText(this.caption, text);
  }
  /** Decides what to show now; returns what must be fetched for it, as `Frames.want` takes it. */
  resolve() {
    return [];
  }
  /** Draws it. Called once a drawing frame where it is `drawn`. */
  describe() {
  }
  /** A person has chosen something in it. */
  chosen(values) {
    Object.assign(this, values);
    this.viewer.changed(false);
  }
  remove() {
    this.sizes.disconnect();
    this.sight.disconnect();
    this.element.remove();
  }
};

// mae_viz/viewer/js/stage.js
function paint(context, spot, picture, shown, options) {
  const { canvas } = context;
  const { left, top, scale: scale2 } = spot;
  const width = picture.width * scale2;
  const height = picture.height * scale2;
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (left > 0 || top > 0 || left + width < canvas.width || top + height < canvas.height || !shown) {
    context.fillStyle = options.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  if (!shown) return;
  context.imageSmoothingEnabled = scale2 < 1;
  context.imageSmoothingQuality = options.dragging ? "low" : "high";
  if (shown.bitmap) return drawPicture(context, shown.bitmap, left, top, scale2, options.dragging);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  if (shown.kind === "ratio") {
    context.fillStyle = hatching(context);
    context.fillRect(left, top, width, height);
  }
  const cell = shown.stride * scale2;
  context.imageSmoothingEnabled = false;
  context.drawImage(shown.plane, left, top, shown.columns * cell, shown.rows * cell);
  if (shown.kind === "ratio" && cell >= 7) markNegative(context, shown, left, top, cell);
  context.restore();
}
var enlarged = null;
function drawPicture(context, bitmap, left, top, scale2, moving) {
  const [width, height] = [bitmap.width * scale2, bitmap.height * scale2];
  const factor = Math.ceil(scale2 - 1e-6);
  if (moving || scale2 <= 1 || factor - scale2 < 1e-6) return context.drawImage(bitmap, left, top, width, height);
  enlarged ??= { canvas: new OffscreenCanvas(1, 1), of: null };
  const { canvas } = enlarged;
  if (enlarged.of !== bitmap || enlarged.factor !== factor) {
    Object.assign(canvas, { width: bitmap.width * factor, height: bitmap.height * factor });
    const large = canvas.getContext("2d", { alpha: false });
    large.imageSmoothingEnabled = false;
    large.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    Object.assign(enlarged, { of: bitmap, factor });
  }
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "low";
  context.drawImage(canvas, left, top, width, height);
}
function markNegative(context, { values, columns }, left, top, cell) {
  context.fillStyle = "#fff";
  const thick = Math.max(1, Math.round(cell / 10));
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] < 0)) continue;
    const x = left + i % columns * cell;
    const y = top + Math.floor(i / columns) * cell;
    context.fillRect(Math.round(x + 0.3 * cell), Math.round(y + 0.5 * cell - thick / 2), Math.round(0.4 * cell), thick);
  }
}
var hatchTile = null;
function hatching(context) {
  if (!hatchTile) {
    hatchTile = new OffscreenCanvas(8, 8);
    const c = hatchTile.getContext("2d");
    c.fillStyle = HATCH[0];
    c.fillRect(0, 0, 8, 8);
    c.strokeStyle = HATCH[1];
    c.lineWidth = 1.5;
    for (const shift of [-8, 0, 8]) {
      c.moveTo(shift, 8);
      c.lineTo(shift + 8, 0);
    }
    c.stroke();
  }
  return context.createPattern(hatchTile, "repeat");
}
function drawPlane(canvas, kind, values, top, columns, rows) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const pixels = colours(kind, values, top);
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows);
  canvas.getContext("2d").putImageData(image, 0, 0);
}
function difference2(canvas, a, b, gain) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "copy";
  context.drawImage(a, 0, 0);
  context.globalCompositeOperation = "difference";
  context.drawImage(b, 0, 0);
  context.globalCompositeOperation = "lighter";
  for (let g = 1; g < gain; g *= 2) context.drawImage(canvas, 0, 0);
}
var probe = null;
function pixelOf(bitmap, x, y) {
  probe ??= new OffscreenCanvas(1, 1);
  const context = probe.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, x, y, 1, 1, 0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// mae_viz/viewer/js/bits_panel.js
var BitsPanel = class extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.views = [0, 1].map(() => {
      const [canvas, bars] = ["places", "channels"].map(
        (what) => h("canvas", { role: "img", "aria-label": `Bits of ${what}: not there yet` })
      );
      const [title, text] = [h("h3"), h("p")];
      const plate = h("div", { class: "plate" }, canvas);
      const element = h("figure", { class: "map" }, title, plate, h("div", { class: "bars" }, bars), text);
      return { element, canvas, title, bars, text, plate };
    });
    this.maps = h("div", { class: "maps" }, ...this.views.map((v) => v.element));
    this.moved = new Moved(this.maps);
    this.bar = h("div", { class: "bar" }, h("i"), h("b", { hidden: true }), h("span"), h("span"), h("span"));
    this.body.append(this.maps, this.bar);
  }
  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { refinements } = this.viewer;
    const wants = [];
    const beside = refinements.shownOf(lead) ? [lead] : [lead, rival];
    this.of = beside.filter(Boolean).map((codec) => {
      const ladder = this.viewer.ladderOf(codec);
      const places = refinements.take(codec, "bits");
      const costs = refinements.take(codec, "by_channel");
      const most = take(ladder, "by_channel", codec.last, void 0, true);
      const lower2 = costs.plain ? null : below(ladder, costs.frame);
      const before = lower2 && take(ladder, "by_channel", lower2.at, void 0, true);
      wants.push(...places.wants, ...costs.wants, most.want);
      if (before) wants.push(before.want);
      return {
        codec: places.codec,
        ladder,
        places,
        costs,
        most: most.asset,
        before: before?.frame === lower2 ? before : null
      };
    });
    return wants;
  }
  describe() {
    const tops = this.of.map(({ places: places2 }) => places2.asset ? range(places2.asset)[1] : 0);
    const top = Math.max(1e-9, ...tops);
    const peak = Math.max(1, ...this.of.map(({ costs, ladder: ladder2 }) => this.spent(costs, ladder2)[1]));
    this.of.forEach((look, i) => {
      this.describeOne(this.views[i], look, top, peak);
    });
    this.views[1].element.hidden = this.of.length < 2;
    const [{ places, ladder }] = this.of;
    this.moved.describe(places, ladder.info?.places);
    const { css, labels } = scale("bits", top);
    const [gradient2, , ...texts] = this.bar.children;
    gradient2.style.background = css;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    if (this.viewer.dragging) return;
    const beside = this.of[0].places.plain ? "beside it what the plain file spends elsewhere" : "both codecs on one scale";
    this.say(
      `Above: bits of each place, all channels together. Bars: bits of each channel, in the order that the channels have at the highest λ; ${beside}.`
    );
  }
  /** Bits of each channel, and the largest of them. */
  spent({ asset }, { info }) {
    const all2 = asset ? asset.subarray(0, info.channels) : new Float32Array(0);
    return [all2, all2.reduce((a, b) => Math.max(a, b), 0)];
  }
  describeOne({ element, canvas, title, bars, text, plate }, { codec, ladder, places, costs, most, before }, top, peak) {
    element.toggleAttribute("data-empty", !places.asset || !costs.asset);
    if (!places.asset || !costs.asset) return setText(title, `${codec.short}: computing …`);
    const [rows, columns] = ladder.info.places;
    setText(title, `${codec.short}, λ ${lambdaText(places.frame.lmbda)}`);
    drawPlane(canvas, "bits", places.asset, top, columns, rows);
    plate.style.setProperty("--shape", `${columns} / ${rows}`);
    const [all2] = this.spent(costs, ladder);
    const reference = most ? most.subarray(0, ladder.info.channels) : all2;
    const order = [...reference.keys()].sort((a, b) => reference[b] - reference[a]);
    this.drawBars(bars, order, all2, peak, codec.colour);
    const used = all2.filter((v) => v >= OFF).length;
    setText(
      text,
      `${used} of ${all2.length} channels are awake (1 bit or more)${waking(all2, costs.frame, before)}`
    );
    canvas.setAttribute("aria-label", `Bits of each place, ${title.textContent}`);
    bars.setAttribute("aria-label", `Bits of each channel, ${title.textContent}: ${text.textContent}`);
  }
  drawBars(canvas, order, all2, peak, colour) {
    const key = `${this.width} ${this.height} ${this.of.length}`;
    if (canvas.dataset.key !== key) {
      canvas.dataset.key = key;
      const box = canvas.parentElement;
      const ratio = globalThis.devicePixelRatio || 1;
      [canvas.width, canvas.height] = [box.clientWidth, box.clientHeight].map((side) => Math.round(side * ratio));
    }
    const size = [canvas.width, canvas.height];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, ...size);
    context.fillStyle = colour;
    const step = size[0] / order.length;
    order.forEach((channel, i) => {
      const tall = all2[channel] / peak * size[1];
      context.fillRect(i * step, size[1] - tall, Math.max(1, step - (step > 3 ? 1 : 0)), tall);
    });
  }
};
var Moved = class {
  /** `room`: where it stands, as long as there is something to show. */
  constructor(room) {
    this.room = room;
    this.canvas = h("canvas", { role: "img", "aria-label": "Bits that moved: not there yet" });
    this.title = h("h3", { text: "Bits that moved: refined − plain" });
    this.bar = h("div", { class: "bar" }, h("i"), h("b", { hidden: true }), h("span"), h("span"), h("span"));
    this.text = h("p");
    this.plate = h("div", { class: "plate" }, this.canvas);
    this.element = h("figure", { class: "map", "data-map": "moved" });
    this.element.append(this.title, this.plate, this.bar, this.text);
  }
  describe({ asset, plain, frame }, shape) {
    const there = plain?.asset && plain.frame.at === frame.at;
    const values = there ? asset.map((bits, i) => bits - plain.asset[i]) : [];
    const top = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (!top) return this.element.remove();
    if (!this.element.isConnected) this.room.append(this.element);
    const [rows, columns] = shape;
    drawPlane(this.canvas, "moved", values, top, columns, rows);
    this.plate.style.setProperty("--shape", `${columns} / ${rows}`);
    const { css, labels } = scale("moved", top);
    const [gradient2, , ...texts] = this.bar.children;
    gradient2.style.background = css;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    const sum = (sign) => values.reduce((all2, v) => all2 + (v * sign > 0 ? v : 0), 0);
    setText(
      this.text,
      `orange places have ${short(sum(1))} bits more, blue ones ${short(-sum(-1))} bits fewer`
    );
    this.canvas.setAttribute("aria-label", `${this.title.textContent}: ${this.text.textContent}`);
  }
};
function below(ladder, frame) {
  const lower2 = ladder.frames.filter((f) => frame && !f.extra && f.at < frame.at);
  return lower2.reduce((a, b) => a && a.at > b.at ? a : b, null);
}
function waking(all2, frame, before) {
  if (!before?.asset || before.frame.at >= frame.at) return "";
  const woken = all2.filter((v, c) => v >= OFF && before.asset[c] < OFF).length;
  const grown = frame.bytes / before.frame.bytes - 1;
  const size = `${percent(Math.abs(grown))} ${grown < 0 ? "smaller" : "larger"}`;
  return `, ${woken || "none"} of which sleep at λ ${lambdaText(before.frame.lmbda)}; the file is ${size} than there`;
}

// mae_viz/viewer/js/curve_panel.js
var CurvePanel = class extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.curve = laboratory.controls.curve;
    this.body.append(this.curve.element);
    this.extras.append(this.curve.group);
    this.caption.append(this.curve.readout);
  }
  describe() {
    this.curve.size(this.width, Math.max(90, this.height - 22));
    this.curve.describe(this.viewer.panes, this.viewer.dragging);
  }
};

// mae_viz/viewer/js/hands.js
var REACH2 = 4;
var KEY_STEP = 0.25;
var SETTLE_MS = 350;
var Hands = class {
  constructor(panel) {
    this.panel = panel;
    this.held = null;
    this.grips = ["m", "d"].map((gain) => this.grip(gain));
    this.marks = drawing("g", { class: "grips" }, ...this.grips);
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    this.off = button("Switch off", "Every symbol of this channel becomes 0", () => this.switchOff());
    this.reset = button("As trained", "All gains as they were trained, all channels on", () => this.set({}));
    this.element = h("div", { class: "hands", role: "group", "aria-label": "By hand" }, this.off, this.reset);
  }
  get hand() {
    const { factors = {}, off = [] } = this.panel.viewer.host.hands.get(this.codec.id) ?? {};
    return { factors, off };
  }
  set(hand) {
    this.panel.viewer.host.hands.set(this.codec.id, hand);
  }
  /** Octaves by which a layer's gain of the channel has been moved, not counting what is in a hand: room for it. */
  reach(layer) {
    if (!layer || !this.codec) return void 0;
    return Math.log2(this.hand.factors[layer]?.[this.channel] ?? 1);
  }
  /** Octaves by which a person has moved a layer's gain of the channel. */
  moved(layer) {
    return this.held?.layer === layer ? this.held.octaves : this.reach(layer);
  }
  put(layer, octaves) {
    const { factors, off } = this.hand;
    const changed = { ...factors[layer], [this.channel]: 2 ** octaves };
    if (!octaves) delete changed[this.channel];
    this.set({ factors: { ...factors, [layer]: changed }, off });
  }
  switchOff() {
    const { factors, off } = this.hand;
    const there = off.includes(this.channel);
    this.set({ factors, off: there ? off.filter((c) => c !== this.channel) : [...off, this.channel] });
  }
  grip(gain) {
    const mark = drawing("circle", { r: 9, class: "grip", tabindex: 0, role: "slider" });
    const layer = () => this.layers[gain];
    mark.addEventListener("pointerdown", (event) => {
      mark.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.held = { layer: layer(), octaves: this.moved(layer()) };
    });
    mark.addEventListener("pointermove", (event) => {
      if (!this.held || this.held.layer !== layer()) return;
      const y = this.panel.heightAt(event.clientY);
      this.hold(layer(), this.panel.octavesAt(y) - Math.log2(this.values[gain]));
    });
    const done = () => {
      if (!this.held) return;
      const { octaves } = this.held;
      this.held = null;
      this.put(layer(), octaves);
    };
    mark.addEventListener("pointerup", done);
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!step && event.key !== "Home") return;
      event.preventDefault();
      event.stopPropagation();
      this.hold(layer(), step ? this.moved(layer()) + step * KEY_STEP : 0);
      clearTimeout(this.settle);
      this.settle = setTimeout(done, SETTLE_MS);
    });
    return mark;
  }
  hold(layer, octaves) {
    this.held = { layer, octaves: Math.min(REACH2, Math.max(-REACH2, octaves)) };
    this.panel.viewer.schedule();
  }
  /** `spots`: of the trained gains at the λ at hand, {m: {layer, value}, d: …}. */
  describe(codec, channel, spots) {
    Object.assign(this, { codec, channel });
    this.layers = { m: spots.m?.layer, d: spots.d?.layer };
    this.values = { m: spots.m?.value, d: spots.d?.value };
    for (const [i, gain] of ["m", "d"].entries()) {
      const { layer, value } = spots[gain] ?? {};
      const mark = this.grips[i];
      mark.style.display = value ? "" : "none";
      if (!value) continue;
      const octaves = this.moved(layer);
      const [x, y] = this.panel.spot(Math.log2(value) + octaves);
      mark.setAttribute("cx", x);
      mark.setAttribute("cy", y);
      mark.setAttribute("fill", spots[gain].colour);
      mark.setAttribute("aria-label", `${gain} of channel ${channel} in ${layer}, by hand`);
      mark.setAttribute("aria-valuemin", -REACH2);
      mark.setAttribute("aria-valuemax", REACH2);
      mark.setAttribute("aria-valuenow", octaves.toFixed(2));
      mark.setAttribute("aria-valuetext", `${short(value * 2 ** octaves)}, trained ${short(value)}`);
    }
    const { factors, off } = this.hand;
    const isOff = off.includes(channel);
    this.off.textContent = `Channel ${channel} ${isOff ? "on" : "off"}`;
    this.off.setAttribute("aria-pressed", String(isOff));
    this.reset.disabled = !off.length && !Object.values(factors).some((changed) => Object.keys(changed).length);
  }
};

// mae_viz/viewer/js/gains_panel.js
var [LEFT2, RIGHT2, TOP2, BOTTOM2] = [38, 16, 8, 20];
var GainsPanel = class extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.now = drawing("path", { class: "now" });
    this.dots = drawing("g");
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Gains over λ: not there yet" },
      this.axes,
      this.now,
      this.lines,
      this.dots
    );
    this.names = h("ul", { class: "names" });
    this.body.append(h("figure", { class: "curve" }, this.svg, this.names));
    this.hands = this.viewer.host.hands ? new Hands(this) : null;
    if (this.hands) {
      this.svg.append(this.hands.marks);
      this.svg.setAttribute("role", "group");
    }
    this.layer = null;
    this.besideRival = true;
    this.layers = h("select", { "aria-label": "Layers", onchange: (e) => this.chosen({ layer: e.target.value }) });
    if (this.hands) this.extras.append(this.hands.element);
    this.extras.append(h("span", { class: "chooser" }, this.layers));
  }
  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { index } = this.viewer;
    const wants = [];
    const trained = this.viewer.manifest.codecs.find((c) => c.id === lead?.from) ?? lead;
    this.of = [trained, rival].filter(Boolean).map((codec) => {
      const ladder = this.viewer.ladderOf(codec);
      const found = take(ladder, "by_channel", index);
      wants.push(found.want);
      return { codec, ladder, frame: found.frame };
    });
    return wants;
  }
  /** Pairs of an encoder's layer and the decoder's that faces it, the bottleneck's first: [name, rows of m and d]. */
  get pairs() {
    const layers = this.of[0]?.ladder.info?.layers ?? [];
    return ["", "h"].flatMap((part) => {
      const [m, d] = ["m", "d"].map((gain) => layers.filter((name2) => name2.startsWith(`${part}${gain}`)));
      return m.toReversed().map((name2, i) => [`${name2}, ${d[i]}`, layers.indexOf(name2) + 1, layers.indexOf(d[i]) + 1]);
    });
  }
  /** The gains of one row and channel over all frames that are here: [{at, lmbda, value}]. */
  over({ ladder }, row, channel) {
    const all2 = ladder.frames.filter((f) => ladder.get(f, "by_channel")).map((f) => ({ frame: f, value: ladder.get(f, "by_channel")[row * ladder.info.channels + channel] }));
    return all2.sort((a, b) => a.frame.at - b.frame.at);
  }
  curves() {
    const [lead, rival] = this.of;
    const { pairs } = this;
    const pair = pairs.find(([name2]) => name2 === this.layer) ?? pairs[0];
    const { channel } = this.laboratory;
    if (!pair || channel === null) return [];
    const { colour } = lead.codec;
    const m = this.over(lead, pair[1], channel);
    if (!m.length) return [];
    const [encoder, decoder] = pair[0].split(", ");
    const d = this.over(lead, pair[2], channel);
    const curves = [
      { name: "m(λ), encoder", colour, points: m, dot: lead, layer: encoder },
      { name: "d(λ), decoder", colour: "var(--mv-second)", points: d, dot: lead, layer: decoder },
      { name: "1/m", colour: "var(--mv-second)", dash: "5 4", points: m.map((p) => ({ ...p, value: 1 / p.value })) }
    ];
    const { partner } = this.laboratory;
    if (rival && pair === pairs[0] && partner !== null)
      curves.push({
        name: `s(λ), ${rival.codec.short}`,
        colour: rival.codec.colour,
        points: this.over(rival, 1, partner),
        dot: rival
      });
    return curves;
  }
  describe() {
    fill(
      this.layers,
      this.pairs.map(([name2], i) => [name2, i ? name2 : `${name2} (bottleneck)`]),
      this.layer ?? this.pairs[0]?.[0]
    );
    const curves = this.curves();
    this.svg.style.display = curves.length ? "" : "none";
    if (!curves.length) return this.say("computing …");
    const { channel } = this.laboratory;
    const key = JSON.stringify([
      this.width,
      this.height,
      channel,
      this.layer,
      curves.map((c) => [c.name, c.points.length, this.hands?.reach(c.layer)])
    ]);
    if (key !== this.key) this.draw(curves);
    this.key = key;
    const moving = curves.filter((c) => c.dot);
    while (this.dots.children.length < moving.length) this.dots.append(drawing("circle", { r: 5, class: "dot" }));
    [...this.dots.children].forEach((dot, i) => {
      const curve = moving[i];
      const point = curve?.points.find((p) => p.frame === curve.dot.frame);
      moveDot(dot, point && this.at(point), curve?.colour);
    });
    if (this.hands) this.describeHands(moving);
    const x = this.x(this.viewer.index);
    this.now.setAttribute("d", `M${x} ${TOP2}V${this.box[1] - BOTTOM2}`);
    if (this.viewer.dragging) return;
    const [m, d] = curves;
    const products = m.points.map((p, i) => p.value * d.points[i].value);
    const [low, high] = [Math.min(...products), Math.max(...products)];
    this.say(
      `λ multiplies channel ${channel} of these layers by m in the encoder and by d in the decoder. Dashed: 1/m, the exact inverse of m; m · d runs from ${short(low)} to ${short(high)}.` + (this.hands ? " Take a ring and move it." : "")
    );
    this.svg.setAttribute("aria-label", `Gains of channel ${channel} over λ: ${moving.map((c) => c.name).join(", ")}`);
  }
  describeHands(moving) {
    const spots = {};
    for (const [i, gain] of ["m", "d"].entries()) {
      const { layer, colour, points: all2, dot } = moving[i];
      spots[gain] = { layer, colour, value: all2.find((p) => p.frame === dot.frame)?.value };
    }
    this.hands.describe(this.of[0].codec, this.laboratory.channel, spots);
  }
  /** The height in the drawing of a point of the window, what gain lies there in octaves, and where a gain lies at the
   *  λ at hand. */
  heightAt(clientY) {
    const { top, height } = this.svg.getBoundingClientRect();
    return (clientY - top) / height * this.box[1];
  }
  octavesAt(y) {
    const { least, most } = this.range;
    const high = this.box[1];
    return least + (high - BOTTOM2 - y) / (high - TOP2 - BOTTOM2) * (most - least);
  }
  spot(octaves) {
    return [this.x(this.viewer.index), this.y(octaves)];
  }
  draw(curves) {
    const { rate } = this.viewer.manifest;
    const [wide, high] = [Math.max(160, this.width), Math.max(80, this.height - 22)];
    this.box = [wide, high];
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.svg.style.height = `${high}px`;
    const values = curves.flatMap((c) => c.points.map((p) => Math.log2(p.value)));
    if (this.hands)
      values.push(...curves.flatMap((c) => c.points.map((p) => Math.log2(p.value) + (this.hands.reach(c.layer) ?? 0))));
    const [least, most] = [Math.min(...values) - 0.3, Math.max(...values) + 0.3];
    this.range = { least, most };
    this.x = (index) => LEFT2 + index / rate.last * (wide - LEFT2 - RIGHT2);
    this.y = (v) => high - BOTTOM2 - (v - least) / (most - least) * (high - TOP2 - BOTTOM2);
    this.at = ({ frame, value }) => [this.x(frame.at), this.y(Math.log2(value))];
    const step = [1, 2, 4, 8].find((s) => (most - least) / s <= 5) ?? 16;
    const ticks = [];
    for (let v = Math.ceil(least / step) * step; v <= most; v += step) ticks.push(v);
    this.axes.replaceChildren(
      ...this.viewer.trainedMarks().flatMap(([index, value]) => [
        drawing("path", { d: `M${this.x(index)} ${TOP2}V${high - BOTTOM2}` }),
        label(this.x(index), high - 6, "middle", `${value}`)
      ]),
      ...ticks.flatMap((v) => [
        drawing("path", { d: `M${LEFT2} ${this.y(v)}H${wide - RIGHT2}` }),
        label(LEFT2 - 5, this.y(v) + 4, "end", v < 0 ? `1/${2 ** -v}` : `${2 ** v}`)
      ])
    );
    this.lines.replaceChildren(
      ...curves.map(
        ({ points: all2, colour, dash }) => drawing("polyline", {
          points: points(all2.map(this.at)),
          fill: "none",
          style: `stroke: ${colour}`,
          "stroke-dasharray": dash ?? "none"
        })
      )
    );
    this.names.replaceChildren(
      ...curves.map(
        ({ name: name2, colour, dash }) => h("li", {}, h("i", { class: "line", style: `border-top: 2px ${dash ? "dashed" : "solid"} ${colour}` }), name2)
      )
    );
  }
};

// mae_viz/viewer/js/headline.js
var MEASURES = { psnr_db: "PSNR", ms_ssim_db: "MS-SSIM" };
var EQUAL = 5e-3;
function curveOf(frames, measure) {
  return frames.filter((f) => f.bytes && Number.isFinite(f[measure])).sort((a, b) => a[measure] - b[measure]);
}
function bytesAt(curve, measure, value) {
  const above = curve.findIndex((f) => f[measure] >= value);
  if (above < 0 || above === 0 && curve[0][measure] > value) return null;
  const b = curve[above];
  if (b[measure] === value) return b.bytes;
  const a = curve[above - 1];
  const t = (value - a[measure]) / (b[measure] - a[measure]);
  return a.bytes * (b.bytes / a.bytes) ** t;
}
function price(file, rival, measure) {
  const curve = curveOf(rival, measure);
  const value = file[measure];
  if (!curve.length || !Number.isFinite(value)) return null;
  const bytes = bytesAt(curve, measure, value);
  if (bytes !== null) return { bytes, share: bytes / file.bytes - 1 };
  if (value > curve.at(-1)[measure]) return { poorer: true };
  return { least: curve[0].bytes, share: curve[0].bytes / file.bytes - 1 };
}
function toMeasure(grid, frames, measure, value) {
  if (!Number.isFinite(value)) return null;
  let [low, high] = [-1, grid.length];
  const of = (i) => {
    const found = frames.find((f) => f.at === grid[i])?.[measure];
    return found === "inf" ? Infinity : found;
  };
  for (const i of grid.keys()) {
    if (of(i) < value) low = i;
    else if (of(i) >= value) high = Math.min(high, i);
  }
  if (low > high) return grid.find((_, i) => of(i) === void 0) ?? null;
  if (high - low < 2) return null;
  const leap = 2 ** (frames.length - 1);
  if (low < 0 && high === grid.length) return grid[high >> 1];
  if (low < 0) return grid[Math.max(0, high - leap)];
  if (high === grid.length) return grid[Math.min(high - 1, low + leap)];
  const share = (value - of(low)) / (of(high) - of(low));
  return grid[Math.min(high - 1, Math.max(low + 1, Math.round(low + share * (high - low))))];
}
function stretches(first, rival, measure) {
  const curve = curveOf(rival, measure);
  const out = [];
  let before = null;
  for (const file of curveOf(first, measure)) {
    const bytes = bytesAt(curve, measure, file[measure]);
    if (bytes === null) continue;
    const now = { bpp: file.bpp, lead: Math.log(bytes / file.bytes), share: Math.abs(bytes / file.bytes - 1) };
    const pays = now.lead >= 0;
    const open = out.at(-1);
    if (open?.pays === pays)
      Object.assign(open, { to: now.bpp, count: open.count + 1, most: Math.max(open.most, now.share) });
    else {
      const from = open ? before.bpp * (now.bpp / before.bpp) ** (before.lead / (before.lead - now.lead)) : now.bpp;
      if (open) open.to = from;
      out.push({ pays, from, to: now.bpp, count: 1, most: now.share });
    }
    before = now;
  }
  return out;
}
var percent2 = (share) => `${(100 * Math.abs(share)).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)} %`;
function clauses(prices) {
  const parts2 = [];
  const [beyond] = Object.values(prices).filter((found) => found?.least !== void 0);
  const better = Object.keys(prices).filter((measure) => prices[measure]?.least !== void 0);
  if (beyond)
    parts2.push(
      `cannot go this low in ${better.map((m) => MEASURES[m]).join(" and ")}: its smallest file has ${bytesText(beyond.least)} bytes (${signed2(beyond.share)})`
    );
  for (const [measure, found] of Object.entries(prices)) {
    const name2 = MEASURES[measure];
    if (!found || better.includes(measure)) continue;
    if (found.poorer) parts2.push(`never reaches this ${name2}`);
    else if (Math.abs(found.share) < EQUAL) parts2.push(`needs the same bytes for the same ${name2}`);
    else {
      const [verb, size] = found.share > 0 ? ["pays", `${percent2(found.share)} more`] : ["saves", percent2(found.share)];
      const what = `${size} for the same ${name2} (${bytesText(Math.round(found.bytes))} bytes)`;
      const last = parts2.at(-1);
      parts2.push(last?.startsWith(`${verb} `) ? what : `${verb} ${what}`);
    }
  }
  return parts2.join(" and ");
}
var signed2 = (share) => `${share < 0 ? "−" : "+"}${percent2(share)}`;
function headline(first, rival, file, rate) {
  const prices = Object.fromEntries(Object.keys(MEASURES).map((m) => [m, price(file, rival.frames, m)]));
  const said = clauses(prices);
  if (!said) return null;
  return { text: `${first.title} at ${rate}: ${bytesText(file.bytes)} bytes. ${rival.title} ${said}.`, prices };
}
function balance(first, rival) {
  const said = Object.entries(MEASURES).map(([measure, name2]) => {
    const found = stretches(first.frames, rival.frames, measure);
    if (!found.length) return null;
    const verb = ({ pays: pays2 }) => pays2 ? "pays" : "saves";
    const size = ({ pays: pays2, most }) => `up to ${percent2(most)}${pays2 ? " more" : ""}`;
    const [one, two] = found;
    if (!two) return `${name2}: ${rival.short} ${verb(one)} at every rate compared, ${size(one)}.`;
    if (found.length === 2) {
      const limit = one.to.toFixed(2);
      const [low, high] = found.map((part) => `${verb(part)} ${size(part)}`);
      return `${name2}: ${rival.short} ${low} below ${limit} bpp and ${high} above.`;
    }
    const [pays, saves] = [true, false].map((is) => {
      const parts2 = found.filter((part) => part.pays === is);
      const count = parts2.reduce((sum, part) => sum + part.count, 0);
      const most = Math.max(...parts2.map((part) => part.most));
      return `at ${count} rate${count > 1 ? "s" : ""}, ${size({ pays: is, most })}`;
    });
    return `${name2}: ${rival.short} pays ${pays}, and saves ${saves}.`;
  });
  return said.filter(Boolean).join("\n");
}

// mae_viz/viewer/js/maps_panel.js
var MOST2 = 16;
var THUMB = 42;
var MapsPanel = class extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.reference = "last";
    this.besideRival = true;
    this.strip = h("div", {
      class: "strip",
      role: "group",
      "aria-label": "Channels with the most bits at the highest λ"
    });
    this.views = ["y", "lead", "rival"].map((name2) => {
      const canvas = h("canvas", { role: "img", "aria-label": "Channel map: not there yet" });
      const value = h("b", { class: "value", hidden: true });
      const [title, text] = [h("h3"), h("p")];
      const bar = h("div", { class: "bar" }, h("i"), h("b"), h("span"), h("span"), h("span"));
      const element = h(
        "figure",
        { class: "map", "data-map": name2 },
        title,
        h("div", { class: "plate" }, canvas, value),
        bar,
        h("figcaption", {}, text)
      );
      return { element, canvas, value, title, text, bar };
    });
    this.body.append(this.strip, h("div", { class: "maps" }, ...this.views.map((v) => v.element)));
    this.references = h(
      "select",
      { "aria-label": "Reference λ of the ratio", onchange: (e) => this.chosen({ reference: e.target.value }) },
      h("option", { value: "last", text: "ratio to the highest λ" }),
      h("option", { value: "first", text: "ratio to the lowest λ" })
    );
    this.extras.append(this.references);
  }
  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { refinements } = this.viewer;
    const channel = this.laboratory.channel;
    const wants = [];
    const of = (codec, c) => {
      if (!codec || c === null) return null;
      const ladder = this.viewer.ladderOf(codec);
      const base = this.reference === "last" ? codec.last : codec.first;
      const now = refinements.take(codec, "y", c);
      const reference = take(ladder, "y", base, c, true);
      wants.push(...now.wants, reference.want);
      return { codec: now.codec, ladder, channel: c, now, reference: reference.frame?.at === base ? reference : null };
    };
    this.lead = of(lead, channel);
    this.rival = of(rival, this.laboratory.partner);
    const costs = refinements.take(lead, "by_channel");
    wants.push(...costs.wants);
    this.costs = costs.asset;
    this.channels = this.laboratory.ranked.slice(0, MOST2);
    this.thumbs = this.channels.length ? refinements.take(lead, "y", this.channels.join()) : {};
    if (this.thumbs.wants) wants.push(...this.thumbs.wants);
    return wants;
  }
  describe() {
    this.describeStrip();
    const [y, mine, theirs] = this.views;
    this.describeMap(y, this.lead);
    this.describeRatio(mine, this.lead);
    this.describeRatio(theirs, this.rival);
    if (this.viewer.dragging) return;
    const { lead, rival } = this.laboratory.pair;
    if (this.laboratory.channel === null) return this.say("");
    const bits = this.costs?.[this.laboratory.channel];
    const cost = bits === void 0 ? "" : bits < OFF ? ", off here" : `, ${short(bits)} bits here`;
    const alike = short(this.laboratory.likeness);
    const beside = rival && this.laboratory.partner !== null ? ` Beside it ${rival.title}, channel ${this.laboratory.partner}: the most alike (correlation ${alike}).` : "";
    this.say(
      `y is stored, rounded: a value for ${lead.stride} × ${lead.stride} pixels. ${lead.title}, channel ${this.laboratory.channel}${cost}${this.wakes()}.${beside} Hatched: too near 0 to divide by.`
    );
  }
  /** From which λ on the chosen channel costs a bit or more, in words; nothing until all frames say so. */
  wakes() {
    const { lead } = this.laboratory.pair;
    const ladder = this.viewer.ladderOf(lead);
    const files = ladder.frames.filter((f) => !f.extra).sort((a, b) => a.at - b.at);
    const costs = files.map((f) => ladder.get(f, "by_channel")?.[this.laboratory.channel]);
    if (files.length < (ladder.info?.total ?? 1) || costs.includes(void 0)) return "";
    const off = costs.findLastIndex((cost) => cost < OFF);
    if (off < 0) return ", awake at every λ";
    return off === files.length - 1 ? "" : `, awake from λ ${lambdaText(files[off + 1].lmbda)} on`;
  }
  describeStrip() {
    const { strip, thumbs } = this;
    const shown = this.channels.slice(0, Math.floor(this.width / THUMB));
    while (strip.children.length > shown.length) strip.lastChild.remove();
    while (strip.children.length < shown.length) strip.append(this.thumb());
    const [rows, columns] = thumbs.ladder?.info?.places ?? [];
    strip.dataset.at = thumbs.frame?.at ?? "";
    shown.forEach((channel, i) => {
      const button = strip.children[i];
      const off = this.costs && this.costs[channel] < OFF;
      if (thumbs.asset && button.dataset.key !== `${thumbs.frame.file} ${channel}`) {
        const plane = thumbs.asset.subarray(i * rows * columns, (i + 1) * rows * columns);
        drawPlane(button.firstChild, "y", plane, largest(plane), columns, rows);
        button.dataset.key = `${thumbs.frame.file} ${channel}`;
      }
      button.toggleAttribute("data-off", Boolean(off));
      button.setAttribute("aria-pressed", String(channel === this.laboratory.channel));
      if (button.dataset.channel !== String(channel)) {
        button.dataset.channel = channel;
        button.title = `channel ${channel}`;
        setText(button.lastChild, `${channel}`);
      }
      button.setAttribute("aria-label", `channel ${channel}${off ? ", off at this λ" : ""}`);
    });
  }
  thumb() {
    const onclick = (event) => this.laboratory.choose(+event.currentTarget.dataset.channel);
    return h("button", { type: "button", onclick }, h("canvas"), h("span"));
  }
  describeMap(view, look) {
    const { canvas, title, text } = view;
    view.value.hidden = true;
    if (!look?.now.asset) return this.empty(view, "y");
    const { codec, channel, now, ladder } = look;
    const top = Math.max(1e-9, largest(now.asset));
    setText(title, `y, channel ${channel}, λ ${lambdaText(now.frame.lmbda)}`);
    this.paint(view, "y", now.asset, top, ladder);
    const [low, high] = ends(now.asset);
    setText(text, `${codec.short}: from ${short(low)} to ${short(high)}`);
    canvas.setAttribute("aria-label", `${title.textContent}: ${text.textContent}`);
  }
  describeRatio(view, look) {
    const { canvas, title, text, value } = view;
    if (!look?.now.asset || !look.reference) return this.empty(view, look ? "ratio" : "");
    const { codec, now, reference, ladder } = look;
    const { values, mean, constancy, masked } = ratioOf(reference.asset, now.asset, this.viewer.manifest.mask_share);
    setText(title, `${codec.short}: y(${lambdaText(reference.frame.lmbda)}) / y(${lambdaText(now.frame.lmbda)})`);
    const itself = reference.frame === now.frame;
    const one = constancy < 1e-4;
    value.hidden = !one;
    if (one) setText(value, short(mean));
    this.paint(view, "ratio", values, mean, ladder);
    view.bar.hidden ||= one;
    if (one) tint(canvas, codec.colour);
    const said = !Number.isFinite(mean) ? "nothing to divide by" : itself ? "divided by itself: move λ" : one ? "one value, the same at every place" : `${short(mean)} on average, varies by ${percent(constancy)}`;
    setText(text, masked > 5e-3 && !one ? `${said}; ${percent(masked)} hatched` : said);
    canvas.setAttribute("aria-label", `${title.textContent}, ${rateText(codec, now.frame)}: ${text.textContent}`);
  }
  paint({ canvas, bar, element }, kind, values, top, ladder) {
    element.toggleAttribute("data-empty", false);
    const [rows, columns] = ladder.info.places;
    drawPlane(canvas, kind, values, top, columns, rows);
    canvas.parentElement.style.setProperty("--shape", `${columns} / ${rows}`);
    const { css, labels, second } = scale(kind, top);
    const [gradient2, other, ...texts] = bar.children;
    bar.hidden = !Number.isFinite(top);
    if (gradient2.style.background !== css) gradient2.style.background = css;
    other.hidden = !second;
    if (second) other.style.background = second;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
  }
  empty({ title, text, value, bar, element }, what) {
    element.toggleAttribute("data-empty", true);
    setText(title, what);
    setText(text, what ? "computing …" : "");
    value.hidden = bar.hidden = true;
  }
};
var largest = (plane) => plane.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
var ends = (plane) => plane.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
function tint(canvas, colour) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "source-in";
  context.fillStyle = `color-mix(in srgb, ${colour} 45%, white)`;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}
function mostAlike(plane, all2, kept) {
  const n = plane.length;
  const centred = (values, from) => {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += values[from + i] / n;
    const out = new Float64Array(n);
    let size2 = 0;
    for (let i = 0; i < n; i++) {
      out[i] = values[from + i] - mean;
      size2 += out[i] ** 2;
    }
    return [out, Math.sqrt(size2)];
  };
  const [a, size] = centred(plane, 0);
  let best = [null, 0];
  for (let row = 0; row * n < all2.length; row++) {
    const [b, other] = centred(all2, row * n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += a[i] * b[i];
    const r = sum / (size * other);
    if (Math.abs(r) > Math.abs(best[1])) best = [kept ? kept[row] : row, r];
  }
  return best;
}

// mae_viz/viewer/js/price_panel.js
var [LEFT3, RIGHT3, TOP3, BOTTOM3] = [46, 12, 8, 20];
var COLOURS = { psnr_db: "var(--mv-accent)", ms_ssim_db: "var(--mv-second)" };
var PricePanel = class extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.now = drawing("path", { class: "now" });
    this.dots = Object.keys(MEASURES).map(() => drawing("circle", { r: 5, class: "dot" }));
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Who pays: not there yet" },
      this.axes,
      this.now,
      this.lines,
      ...this.dots
    );
    const names = Object.entries(MEASURES).map(
      ([measure, name2]) => h("li", {}, h("i", { class: "line", style: `border-top: 2px solid ${COLOURS[measure]}` }), `equal ${name2}`)
    );
    this.body.append(h("figure", { class: "curve" }, this.svg, h("ul", { class: "names" }, ...names)));
  }
  describe() {
    const [first, second] = this.laboratory.rivals;
    if (first?.axis !== "lmbda" || !second) return this.say("Choose a codec that follows λ for the first side.");
    const [a, b] = [first, second].map((codec) => this.viewer.ladderOf(codec));
    const key = JSON.stringify([this.width, this.height, a.id, b.id, a.frames.length, b.frames.length]);
    const { all: all2, text } = this.laboratory.progress(first, second);
    if (key !== this.key) this.draw(first, second, a, b);
    this.svg.style.display = all2 ? "" : "none";
    if (!all2) return this.say(`${text} measured so far.`);
    this.key = key;
    const at = this.laboratory.fileOf(first)?.at;
    const x = this.x(this.viewer.index);
    this.now.setAttribute("d", `M${x} ${TOP3}V${this.box[1] - BOTTOM3}`);
    Object.keys(MEASURES).forEach((measure, i) => {
      const found = this.found[measure].find((p) => p.at === at);
      moveDot(this.dots[i], found && this.spot(found), COLOURS[measure]);
    });
  }
  draw(first, second, a, b) {
    const files = a.frames.filter((f) => f.bytes).sort((one, other) => one.at - other.at);
    this.found = Object.fromEntries(
      Object.keys(MEASURES).map((measure) => {
        const all2 = files.map((f) => ({ at: f.at, lmbda: f.lmbda, ...price(f, b.frames, measure) }));
        return [measure, all2.filter((p) => p.bytes !== void 0)];
      })
    );
    const [wide, high] = [Math.max(160, this.width), Math.max(80, this.height - 22)];
    this.box = [wide, high];
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.svg.style.height = `${high}px`;
    const shares = Object.values(this.found).flatMap((all2) => all2.map((p) => p.share));
    const [low, top] = [Math.min(-0.02, ...shares) * 1.1, Math.max(0.02, ...shares) * 1.1];
    const { last } = this.viewer.manifest.rate;
    this.x = (index) => LEFT3 + index / last * (wide - LEFT3 - RIGHT3);
    const y = (v) => high - BOTTOM3 - (v - low) / (top - low) * (high - TOP3 - BOTTOM3);
    this.spot = ({ at, share }) => [this.x(at), y(share)];
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((s) => (top - low) / s <= 6) ?? 1;
    const ticks = [];
    for (let i = Math.ceil(low / step); i * step <= top; i++) ticks.push(i * step);
    const percent3 = (v) => `${v > 1e-9 ? "+" : v < -1e-9 ? "−" : ""}${Math.abs(100 * v).toFixed(0)} %`;
    this.axes.replaceChildren(
      ...this.viewer.trainedMarks().map(([index, value]) => label(this.x(index), high - 6, "middle", `${value}`)),
      ...ticks.flatMap((v) => [
        drawing("path", { d: `M${LEFT3} ${y(v)}H${wide - RIGHT3}`, class: Math.abs(v) < 1e-9 ? "zero" : "" }),
        label(LEFT3 - 5, y(v) + 4, "end", percent3(v))
      ])
    );
    this.lines.replaceChildren(
      ...Object.entries(this.found).flatMap(([measure, all2]) => [
        drawing("polyline", { points: points(all2.map(this.spot)), fill: "none", style: `stroke: ${COLOURS[measure]}` })
      ])
    );
    const said = Object.entries(this.found).map(([measure, all2]) => worth(all2, MEASURES[measure])).filter(Boolean);
    this.say(
      `What ${second.title} needs for the quality of ${first.title} at each λ: above 0 it pays, with more bytes; below 0 it saves. ${said.join(" ")}`
    );
    this.svg.setAttribute("aria-label", this.caption.textContent);
  }
};
function worth(all2, name2) {
  if (!all2.length) return "";
  const pays = all2.map((p) => p.share > 0);
  const turns = all2.filter((_, i) => i && pays[i] !== pays[i - 1]);
  const [low, high] = pays[0] ? ["pays", "saves"] : ["saves", "pays"];
  if (!turns.length) return `At equal ${name2} it ${low} at every λ compared.`;
  const count = pays.filter(Boolean).length;
  if (turns.length > 1) return `At equal ${name2} it pays at ${count} of ${all2.length} λ and saves at the others.`;
  return `At equal ${name2} it ${low} below λ ${lambdaText(turns[0].lmbda)} and ${high} from there on.`;
}

// mae_viz/viewer/js/laboratory.js
var CARD = 300;
var KINDS = { curve: CurvePanel, price: PricePanel, maps: MapsPanel, gains: GainsPanel, bits: BitsPanel };
var Laboratory = class {
  /** `controls`: what it puts in its places. */
  constructor(viewer, controls) {
    this.viewer = viewer;
    this.controls = controls;
    this.titles = viewer.manifest.laboratory.titles;
    this.panels = [];
    this.build();
  }
  build() {
    const { controls, viewer } = this;
    this.arrangements = h("div", { class: "set", role: "group", "aria-label": "Arrangements" });
    this.sentence = h("p", { class: "sentence" });
    this.balance = h("p", { class: "balance" });
    this.say = h("div", { class: "say" }, this.sentence, this.balance);
    this.bench = new Bench(viewer);
    this.swapSides = controls.button("⇄", "Swap the sides", () => viewer.swapSides());
    this.add = h("select", { class: "add", "aria-label": "Open a panel", onchange: (e) => this.open(e.target.value) });
    this.tabs = h("div", { class: "tabs", role: "group", "aria-label": "Panels" });
    for (const [kind, text] of Object.entries(this.titles))
      this.tabs.append(h("button", { type: "button", "data-kind": kind, text, onclick: () => this.front(kind) }));
    this.side = h("div", { class: "side" }, this.tabs);
    controls.tools.prepend(this.swapSides);
    this.place = h("div", { class: "place" }, controls.shared, controls.grid);
    this.deck = h("div", { class: "deck" }, this.place, controls.tools);
    this.hall = h("div", { class: "hall" }, this.deck, this.side);
    this.bar = h("div", { class: "dock" }, controls.rate, h("div", { class: "choices" }, this.arrangements, this.add));
    this.anchor = h("div", { class: "anchor" }, this.bar);
    this.element = h(
      "div",
      { class: "laboratory" },
      this.anchor,
      this.say,
      this.bench.element,
      this.hall,
      controls.keys
    );
    this.docking = new IntersectionObserver(
      ([{ intersectionRatio, boundingClientRect: box }]) => {
        const on = intersectionRatio < 1 && box.top < 0;
        this.anchor.style.minHeight = on ? `${box.height}px` : "";
        this.bar.toggleAttribute("data-docked", on);
      },
      { threshold: [0, 1] }
    );
    this.docking.observe(this.anchor);
  }
  /** What the host says: arrangements to choose from, and the panels that are open. */
  update({ arrangements, panels }) {
    this.known = arrangements;
    this.arrangements.replaceChildren(
      ...arrangements.map((a) => h("button", { type: "button", text: a.title, onclick: () => this.arrange(a) }))
    );
    this.setPanels(panels);
  }
  arrange({ panes, mode: mode2, panels }) {
    this.viewer.setPanes(panes);
    this.viewer.setMode(mode2);
    this.enlarged = null;
    this.setPanels(panels);
    this.viewer.changed();
  }
  /** The arrangement that is on show, whichever channel its maps are of. */
  get arrangement() {
    const { state, manifest } = this.viewer;
    const usual = Object.fromEntries(
      manifest.codecs.map(({ id, axis }) => [id, axis === "lmbda" ? "shared" : "bytes"])
    );
    const said = ({ panes, mode: mode2, panels }) => JSON.stringify([
      mode2,
      panels,
      panes.map(({ codec, layer, follow, own }) => [codec, layer ?? "picture", follow ?? usual[codec], own ?? null])
    ]);
    return this.known.find((one) => said(one) === said(state));
  }
  // panels
  get kinds() {
    return this.panels.map((p) => p.kind);
  }
  setPanels(kinds) {
    const before = new Map(this.panels.map((p) => [p.kind, p]));
    this.panels = kinds.map((kind) => before.get(kind) ?? new KINDS[kind](this, kind));
    for (const [kind, panel] of before) if (!kinds.includes(kind)) panel.remove();
    this.side.append(...this.panels.map((p) => p.element));
    if (!kinds.includes(this.fore)) this.fore = kinds[0];
    if (!kinds.includes(this.enlarged)) this.enlarged = null;
    this.viewer.schedule();
  }
  /** Another panel in the place of one; where it is open already the two change places. */
  swap(kind, other) {
    const kinds = this.kinds.map((k) => k === kind ? other : k === other ? kind : k);
    for (const panel of this.panels) panel.chooser.value = panel.kind;
    this.setPanels(kinds);
    this.viewer.changed();
  }
  open(kind) {
    this.setPanels([...this.kinds, kind]);
    this.viewer.changed();
  }
  close(kind) {
    this.setPanels(this.kinds.filter((k) => k !== kind));
    this.viewer.changed();
  }
  /** A panel in sight, opened where it is not. */
  bring(kind) {
    this.fore = kind;
    if (this.kinds.includes(kind)) this.viewer.schedule();
    else this.open(kind);
  }
  enlarge(kind) {
    this.enlarged = this.enlarged === kind ? null : kind;
    this.viewer.schedule();
  }
  /** The room as it is without an enlarged panel; false where there is none. */
  restore() {
    if (!this.enlarged) return false;
    this.enlarge(this.enlarged);
    return true;
  }
  /** On a narrow screen one panel is in sight. */
  front(kind) {
    this.fore = kind;
    if (!this.kinds.includes(kind)) this.setPanels([...this.kinds, kind]);
    this.viewer.changed();
  }
  // what panels ask
  /** The modulated codec that panels look into, the first on the stage, and its rival. */
  get pair() {
    const { manifest, panes } = this.viewer;
    const named = (id) => manifest.codecs.find((c) => c.id === id);
    const [lead, rival] = manifest.laboratory.pair.map(named);
    return { lead: panes.map((p) => p.plain).find((c) => c.gains && c.axis === "lmbda") ?? lead, rival };
  }
  /** The lead's channels by their bits at the highest λ that there is a frame of. */
  get ranked() {
    const { info, frames } = this.viewer.ladderOf(this.pair.lead);
    const last = frames.reduce((a, b) => a && a.at > b.at ? a : b, null);
    return info?.kept ?? last?.rank ?? [];
  }
  get channel() {
    const { channel } = this.viewer;
    const { kept } = this.viewer.ladderOf(this.pair.lead).info ?? {};
    return kept && !kept.includes(channel) ? kept[0] : channel;
  }
  /** The rival's channel that is most like the chosen one, both at their highest λ: networks number their channels in
   *  an order of their own. Null until both are here; `wants` receives what is missing. */
  findPartner(wants) {
    const { channel } = this;
    const { lead, rival } = this.pair;
    if (!rival || channel === null) return null;
    const [a, b] = [lead, rival].map((codec) => this.viewer.ladderOf(codec));
    const mine = take(a, "y", lead.last, channel, true);
    const all2 = take(b, "y", rival.last, "all", true);
    wants.push(mine.want, all2.want);
    if (mine.frame?.at !== lead.last || all2.frame?.at !== rival.last) return null;
    const key = `${a.id} ${channel} ${b.id}`;
    if (this.partnerKey !== key) {
      this.partnerKey = key;
      [this.found, this.likeness] = mostAlike(mine.asset, all2.asset, b.info.kept);
    }
    return this.found;
  }
  /** A channel for all maps. */
  choose(channel) {
    for (const pane of this.viewer.panes) pane.state.channel = null;
    this.viewer.channel = channel;
    this.viewer.changed();
  }
  resolve() {
    const shown = this.panels.filter((p) => p.drawn);
    const wants = [];
    this.partner = shown.some((p) => p.besideRival) ? this.findPartner(wants) : null;
    return [...wants, ...shown.flatMap((p) => p.resolve())];
  }
  describe() {
    const { viewer, hall } = this;
    for (const panel of this.panels) {
      panel.element.toggleAttribute("data-front", panel.kind === this.fore);
      panel.element.toggleAttribute("data-enlarged", panel.kind === this.enlarged);
      if (panel.drawn) panel.describe();
    }
    hall.toggleAttribute("data-enlarged", Boolean(this.enlarged));
    hall.dataset.count = this.panels.length;
    this.describeHeadline();
    if (viewer.dragging) return;
    this.controls.grid.style.setProperty("--columns", this.columns);
    const now = this.arrangement;
    [...this.arrangements.children].forEach((button, i) => {
      button.setAttribute("aria-pressed", String(this.known[i] === now));
    });
    for (const tab of this.tabs.children)
      tab.setAttribute("aria-pressed", String(tab.dataset.kind === this.fore && this.kinds.includes(this.fore)));
    for (const panel of this.panels) {
      const on = panel.kind === this.enlarged;
      panel.enlarge.setAttribute("aria-pressed", String(on));
    }
    const missing = Object.keys(this.titles).filter((kind) => !this.kinds.includes(kind));
    const key = missing.join();
    if (this.add.dataset.key !== key) {
      this.add.dataset.key = key;
      const options = missing.map((value) => h("option", { value, text: this.titles[value] }));
      this.add.replaceChildren(h("option", { value: "", text: "+ panel", disabled: true, selected: true }), ...options);
    }
    this.add.hidden = !missing.length;
    this.swapSides.disabled = viewer.panes.length < 2;
  }
  /** In how many columns the panes show the picture largest; of cards that stand above it no more than have room. */
  get columns() {
    const { picture, panes, element } = this.viewer;
    const { clientWidth, clientHeight } = this.place;
    const above = "maps" in element.dataset;
    const cards = above ? Math.max(...panes.map((p) => p.tag.offsetHeight)) : 0;
    const most = above ? Math.max(2, Math.floor(clientWidth / CARD)) : panes.length;
    const scale2 = (columns) => Math.min(
      clientWidth / columns / picture.width,
      (clientHeight / Math.ceil(panes.length / columns) - cards) / picture.height
    );
    const counts = panes.map((_, i) => i + 1).slice(0, most);
    return counts.reduce((a, b) => scale2(b) > scale2(a) * 1.05 ? b : a);
  }
  /** The two codecs that the sentence is about: those on the stage, or the pair where there are not two. */
  get rivals() {
    const { viewer } = this;
    const coded = [...new Set(viewer.panes.map((p) => p.plain).filter((c) => c.axis !== "none"))];
    const { lead, rival } = this.pair;
    const [first, second] = coded.length > 1 ? coded : [lead, rival];
    return [first, second];
  }
  /** The frame of a codec that the stage shows, or would show. */
  fileOf(codec) {
    const pane = this.viewer.panes.find((p) => p.plain === codec && !p.refined);
    return pane?.frame ?? this.viewer.ladderOf(codec).nearest(this.viewer.index);
  }
  /** How much of the files of some codecs is measured: all, or how many of how many. Before that there is no telling
   *  how a curve runs. */
  progress(...codecs) {
    const ladders = codecs.map((codec) => this.viewer.ladderOf(codec));
    const done = ladders.map(({ frames }) => frames.filter((f) => !f.extra).length);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const [there, total] = [sum(done), sum(ladders.map(({ info }) => info?.total ?? 0))];
    return { all: ladders.every(({ info }, i) => info && done[i] >= info.total), text: `${there} of ${total} files` };
  }
  /** The rates of a ladder that the sentence waits for: of the rival's 25 files those next to the two that are as good
   *  as the file on show. */
  awaited(ladder) {
    const [first, second] = this.rivals;
    if (this.viewer.whole || !first || !second || second.axis !== "lmbda" || second.ladder !== ladder.id) return [];
    const file = this.fileOf(first);
    if (!file) return [];
    const { first: low, last, only } = second;
    const step = this.viewer.frameStep;
    const steps = Array.from({ length: Math.ceil((last - low) / step) }, (_, i) => low + i * step);
    const grid = only.length ? only : [...steps, last];
    const measured = ladder.frames.filter((f) => !f.extra);
    const next = Object.keys(MEASURES).map((measure) => toMeasure(grid, measured, measure, file[measure]));
    return [...new Set(next.filter((at) => at !== null))];
  }
  /** Whether the price that a codec pays for a file is final. */
  isPriced(codec) {
    if (this.progress(codec).all) return true;
    const ladder = this.viewer.ladderOf(codec);
    return codec.axis === "lmbda" && ladder.frames.length > 0 && !this.awaited(ladder).length;
  }
  describeHeadline() {
    const { viewer } = this;
    const [first, second] = this.rivals;
    if (!first || !second) return;
    const grid = (codec) => viewer.ladderOf(codec).frames.filter((f) => !f.extra);
    const of = (codec) => ({ title: codec.title, short: codec.short, frames: grid(codec) });
    const [a, b] = [of(first), of(second)];
    const file = this.fileOf(first);
    const both = this.progress(first, second);
    const key = `${first.id} ${second.id} ${file?.file} ${a.frames.length} ${b.frames.length} ${both.text}`;
    if (key === this.said) return;
    this.said = key;
    const found = file && this.isPriced(second) ? headline(a, b, file, rateText(first, file)) : null;
    const soon = file ? `${first.title} at ${rateText(first, file)}: ${bytesText(file.bytes)} bytes. ` : "";
    setSentence(this.sentence, found?.text ?? `${soon}What ${second.title} needs to be as good is being measured …`);
    setText(this.balance, both.all ? balance(a, b) : `${both.text} measured so far`);
    const shares = Object.values(found?.prices ?? {}).map((p) => p?.share);
    const wins = shares.some((s) => s !== void 0) && shares.every((s) => s === void 0 || s > 0);
    this.say.style.setProperty("--winner", wins ? first.colour : second.colour);
  }
  remove() {
    this.docking.disconnect();
    for (const panel of this.panels) panel.remove();
  }
};

// mae_viz/viewer/js/controls.js
var Controls = class {
  constructor(viewer) {
    this.viewer = viewer;
    const { button } = this;
    const set = (label2, ...children) => h("div", { class: "set", role: "group", "aria-label": label2 }, ...children);
    this.slider = h("input", {
      type: "range",
      class: "rate",
      min: 0,
      step: 1,
      "aria-label": "λ, the weight of the error against the rate"
    });
    this.output = h("output");
    this.rule = h("span", { class: "rule" });
    this.ticks = h("div", { class: "ticks", role: "group", "aria-label": "trained λ" });
    this.modes = Object.fromEntries(
      Object.entries({ side: "Side by side", wipe: "Wipe", blink: "Blink" }).map(([mode2, text]) => [
        mode2,
        button(text, text, () => viewer.chooseMode(mode2))
      ])
    );
    this.zooms = Object.fromEntries(
      [0, ...STEPS].map((s) => [
        s,
        button(
          s ? percent(s) : "Fit",
          s ? `Zoom ${percent(s)}` : "Fit the picture into the pane",
          () => viewer.view.zoomTo(s)
        )
      ])
    );
    this.fewer = button("−", "One pane fewer", () => viewer.setCount(viewer.panes.length - 1));
    this.more = button("+", "One pane more", () => viewer.setCount(viewer.panes.length + 1));
    this.count = h("span", { class: "count" });
    this.whole = button(
      "Whole picture",
      "Show the whole picture, exact at the λ released",
      () => viewer.setWhole(!viewer.whole)
    );
    this.lock = button(
      "Same colours at all λ",
      "Maps keep one colour scale for all λ",
      () => viewer.set({ lockRange: !viewer.lockRange })
    );
    this.help = button("Keys", "Keyboard shortcuts", () => this.toggleKeys(), { "aria-expanded": "false" });
    this.keys = keyList();
    this.match = button(
      "Match bytes",
      "Bring the others to the bytes of the first that follows λ, and keep them there",
      () => viewer.setMatch("bytes")
    );
    this.matchQuality = button(
      "Match PSNR",
      "Bring the others to the PSNR of the first that follows λ, and keep them there",
      () => viewer.setMatch("psnr_db")
    );
    this.curve = new Curve(
      () => viewer.schedule(),
      (codec, frame) => viewer.goTo(codec, frame)
    );
    this.panes = set("Panes", this.fewer, this.count, this.more);
    this.csv = button("CSV", "Save the numbers as CSV", () => viewer.saveCsv());
    const save2 = set(
      "Save",
      button("PNG", "Save this view as PNG", () => viewer.savePng()),
      this.csv
    );
    this.rate = h(
      "div",
      { class: "lambda" },
      h("div", { class: "line" }, h("label", { text: "λ" }), this.output, this.rule),
      h("div", { class: "track" }, this.slider, this.ticks),
      h(
        "div",
        { class: "ends", "aria-hidden": "true" },
        h("span", { text: "← smaller file" }),
        h("span", { text: "better picture →" })
      )
    );
    this.tools = h(
      "div",
      { class: "tools" },
      set("Compare", ...Object.values(this.modes)),
      set("Zoom", ...Object.values(this.zooms)),
      this.panes,
      set("Match", this.match, this.matchQuality),
      this.whole,
      this.lock,
      save2,
      this.help
    );
    this.buildShared();
    this.grid = h("div", { class: "panes" });
    this.status = h("div", { class: "status", role: "status" });
    this.element = h("div", { class: "mae-viewer", role: "region", "aria-label": "Picture viewer" });
    this.laboratory = viewer.manifest.laboratory ? new Laboratory(viewer, this) : null;
    this.element.append(this.laboratory?.element ?? this.room(), this.status);
  }
  /** Panes and what belongs to them, where there is no laboratory around them. */
  room() {
    const head = h("div", { class: "top" }, h("div", { class: "desk" }, this.rate, this.tools), this.curve.element);
    return h("div", { class: "room" }, head, this.keys, this.shared, this.grid);
  }
  button(text, label2, onclick, extra = {}) {
    return h("button", { type: "button", text, "aria-label": label2, title: label2, onclick, ...extra });
  }
  /** The stage with two pictures in one place, and the handle between them. */
  buildShared() {
    this.handle = h("div", {
      class: "handle",
      role: "slider",
      tabindex: 0,
      "aria-label": "Wipe position",
      "aria-valuemin": 0,
      "aria-valuemax": 100
    });
    this.sharedCanvas = h("canvas");
    this.names = [h("span", { class: "name left" }), h("span", { class: "name right" })];
    this.sharedReadout = h("div", { class: "readout", "aria-hidden": "true", hidden: true });
    this.sharedStage = h(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "two pictures in one place" },
      this.sharedCanvas,
      ...this.names,
      this.sharedReadout,
      this.handle
    );
    this.shared = h("div", { class: "shared", hidden: true }, this.sharedStage);
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const box = this.sharedCanvas.getBoundingClientRect();
      this.viewer.moveWipe((event.clientX - box.left) / box.width);
    });
  }
  buildTicks() {
    const { viewer, slider, ticks } = this;
    const { last } = viewer.manifest.rate;
    slider.max = last;
    ticks.replaceChildren(
      ...viewer.trainedMarks().map(
        ([index, value]) => h("button", {
          type: "button",
          text: value,
          "aria-label": `λ ${value}`,
          style: `--at:${index / last}`,
          onclick: () => viewer.step(index)
        })
      )
    );
  }
  toggleKeys(on = this.keys.hidden) {
    const changed = this.keys.hidden === on;
    this.keys.hidden = !on;
    this.help.setAttribute("aria-expanded", String(on));
    return changed;
  }
  /** Called once a drawing frame; while λ moves, only what moves with it. */
  describe() {
    const { viewer, element } = this;
    const { manifest, index, mode: mode2, panes } = viewer;
    const lambda = lambdaText(viewer.lmbdaAt(index));
    if (+this.slider.value !== index) this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", `λ ${lambda}`);
    setText(this.output, lambda);
    setText(this.rule, viewer.isTrained(index) ? "a λ the networks were trained for" : "between trained λ");
    this.slider.style.setProperty("--at", index / manifest.rate.last);
    element.style.setProperty("--aspect", `${viewer.picture.width} / ${viewer.picture.height}`);
    element.dataset.mode = mode2;
    element.toggleAttribute("data-original", Boolean(viewer.originalShown));
    element.toggleAttribute("data-zoomed", viewer.view.zoom > 0);
    element.dataset.panes = panes.length;
    element.toggleAttribute(
      "data-maps",
      panes.some((p) => !["picture", "difference"].includes(p.layer))
    );
    element.dataset.index = index;
    element.dataset.busy = String(Boolean(viewer.dragging) || panes.some((p) => p.waiting));
    this.shared.hidden = mode2 === "side";
    if (!this.shared.hidden) this.describeShared();
    if (this.laboratory) this.laboratory.describe();
    else this.curve.describe(manifest.blind ? [] : panes, viewer.dragging);
    if (viewer.dragging) return;
    for (const [name2, button] of Object.entries(this.modes)) {
      button.setAttribute("aria-pressed", String(name2 === mode2));
      button.disabled = name2 !== "side" && panes.length < 2;
    }
    for (const [zoom2, button] of Object.entries(this.zooms))
      button.setAttribute("aria-pressed", String(+zoom2 === viewer.view.zoom));
    for (const [button, kind] of [
      [this.match, "bytes"],
      [this.matchQuality, "psnr_db"]
    ]) {
      button.setAttribute("aria-pressed", String(viewer.matched === kind));
      button.disabled = !viewer.others.length;
    }
    setText(this.count, `${panes.length} pane${panes.length > 1 ? "s" : ""}`);
    this.fewer.disabled = panes.length === 1;
    this.more.disabled = panes.length === panes_default.most;
    for (const node of [this.rate, this.panes, this.csv, this.match.parentElement]) node.hidden = manifest.blind;
    element.toggleAttribute("data-blind", Boolean(manifest.blind));
    this.whole.hidden = !manifest.whole;
    this.whole.setAttribute("aria-pressed", String(viewer.whole));
    this.lock.hidden = !panes.some((p) => ["bits", "y"].includes(p.layer));
    this.lock.setAttribute("aria-pressed", String(viewer.lockRange));
    for (const pane of panes) pane.stage.setAttribute("aria-label", `${pane.title}: ${pane.summary}`);
    if (element.dataset.busy === "false")
      setText(
        this.status,
        `${manifest.blind ? "" : `λ ${lambda}. `}${panes.map((p) => `${p.title}: ${p.summary}`).join(". ")}`
      );
  }
  describeShared() {
    const { viewer } = this;
    const [a, b] = viewer.pair;
    const wiping = viewer.mode === "wipe";
    setText(this.names[0], wiping || !viewer.flipped ? a.title : "");
    setText(this.names[1], wiping || viewer.flipped ? b.title : "");
    for (const pane of viewer.panes) {
      pane.element.dataset.side = pane === a ? "left" : pane === b ? "right" : "";
      pane.element.toggleAttribute("data-covered", !wiping && pane === (viewer.flipped ? a : b));
    }
    this.handle.hidden = !wiping;
    this.handle.style.left = `${100 * viewer.wipe}%`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * viewer.wipe));
    this.sharedStage.setAttribute("aria-label", `${a.title} against ${b.title}`);
  }
};

// mae_viz/viewer/js/frames.js
var AT_ONCE = 4;
var LARGE = 4e6;
var HELD = 2e8;
var WIRE = 22e6;
var KEEP_EXTRA = 16;
var POLL_MS = 350;
var FIRST_MS = 80;
var Ladder = class {
  constructor(id) {
    this.id = id;
    this.info = null;
    this.error = null;
    this.unheard = false;
    this.assets = /* @__PURE__ */ new Map();
    this.failed = /* @__PURE__ */ new Set();
    this.full = /* @__PURE__ */ new Set();
    this.received = 0;
    this.asked = 0;
    this.heard = 0;
  }
  get frames() {
    return this.info?.frames ?? [];
  }
  /** The frame nearest to `at`; with `has`, among those for which it is true. */
  nearest(at, has = () => true) {
    let best = null;
    for (const frame of this.frames)
      if (has(frame) && (!best || Math.abs(frame.at - at) < Math.abs(best.at - at))) best = frame;
    return best;
  }
  /** What a frame needs on show as `kind` (picture, bits, y, by_channel): its name here, its file, and of y which
   *  channels. `channel`: one, several as "3,7,12" (their planes one after the other), or "all". */
  source(frame, kind, channel) {
    const file = kind === "picture" ? frame.file : frame[kind];
    if (!file || kind !== "y" || channel === "all") return { key: file, file };
    const { kept } = this.info;
    if (channel === null) return {};
    if (kept && !listed(channel).every((c) => kept.includes(c))) return {};
    return { key: `${file}/${channel}`, file, channel };
  }
  /** Where the bytes of a source lie in its file: [[start, length], …]; undefined for all of it. */
  parts({ channel }) {
    if (channel === void 0) return void 0;
    const { kept, places } = this.info;
    const length = places[0] * places[1] * 4;
    return listed(channel).map((c) => [(kept ? kept.indexOf(c) : c) * length, length]);
  }
  get(frame, kind, channel) {
    return frame && this.assets.get(this.source(frame, kind, channel).key);
  }
  drop(key) {
    this.full.clear();
    this.assets.get(key)?.close?.();
    this.assets.delete(key);
  }
  get held() {
    let sum = 0;
    for (const asset of this.assets.values()) sum += sizeOf(asset);
    return sum;
  }
  close() {
    for (const key of [...this.assets.keys()]) this.drop(key);
  }
};
var listed = (channel) => `${channel}`.split(",").map(Number);
var sizeOf = (asset) => asset.byteLength ?? 4 * asset.width * asset.height;
var Frames = class {
  constructor(host, changed, exact, pixels, inPanes = exact) {
    this.host = host;
    this.changed = changed;
    this.exact = exact;
    this.inPanes = inPanes;
    this.pixels = pixels;
    this.ladders = /* @__PURE__ */ new Map();
    this.wants = [];
    this.busy = /* @__PURE__ */ new Set();
    this.received = 0;
  }
  ladder(id) {
    if (!this.ladders.has(id)) {
      this.ladders.set(id, new Ladder(id));
      this.poll(this.ladders.get(id));
    }
    return this.ladders.get(id);
  }
  /** A ladder that is read again, wherever it was left. */
  wake(id) {
    const there = this.ladders.get(id);
    if (!there) return this.ladder(id);
    there.rests = false;
    this.poll(there);
    return there;
  }
  /** The host has something new of a ladder: its list is read at once. */
  hear(id) {
    const there = this.ladders.get(id);
    if (there) this.poll(there);
  }
  /** A ladder that stays as it is: nothing of it is waited for. */
  rest(ladder) {
    clearTimeout(ladder.timer);
    ladder.rests = true;
    ladder.heard = ++ladder.asked;
  }
  /** Whether a ladder's list lacks a rate that is to be had exactly. */
  lacks(ladder) {
    return this.exact(ladder).some((at) => !ladder.frames.some((frame) => frame.at === at));
  }
  /** A ladder is read again where what is wanted of it has changed by itself since its list was complete: as a frame of
   *  another arrived that it is matched to. */
  follow(ladder) {
    if (!ladder.timer && ladder.asked === ladder.heard && !ladder.error && this.lacks(ladder)) this.poll(ladder);
  }
  /** Read a ladder's list of frames until it is complete. */
  async poll(ladder) {
    clearTimeout(ladder.timer);
    ladder.timer = null;
    if (ladder.rests) return;
    const turn3 = ++ladder.asked;
    const answer = { heard: turn3, gone: false, unheard: false };
    try {
      answer.info = await this.host.ladder(ladder.id, this.exact(ladder), this.inPanes(ladder).length);
      answer.error = answer.info.error ?? null;
    } catch (error) {
      const gone = Boolean(error.gone);
      Object.assign(answer, { error: String(error.message ?? error), unheard: true, gone });
    }
    if (this.closed || this.ladders.get(ladder.id) !== ladder || turn3 < ladder.heard) return;
    Object.assign(ladder, answer);
    ladder.full.clear();
    if (ladder.unheard || !ladder.info?.complete || !ladder.error && this.lacks(ladder))
      ladder.timer = setTimeout(
        () => this.poll(ladder),
        ladder.error ? 4 * POLL_MS : ladder.frames.length ? POLL_MS : FIRST_MS
      );
    this.changed();
    this.pump();
  }
  /** wants: [{ladder, kind, channel, at, alone}], what is needed, in order of importance; `alone`: nothing ahead of
   *  need. */
  want(wants) {
    this.wants = wants;
    this.pump();
  }
  forgetAllBut(ids) {
    for (const [id, ladder] of this.ladders) {
      if (ids.has(id)) continue;
      clearTimeout(ladder.timer);
      ladder.close();
      this.ladders.delete(id);
    }
  }
  /** The missing frame to fetch next for a want: the nearest to `at`, else the one farthest from all that are here. */
  next({ ladder, kind, channel, at, alone }) {
    const name2 = `${kind} ${channel}`;
    if (ladder.full.has(name2)) return null;
    const missing = [];
    const here = [];
    let full = true;
    for (const frame2 of alone ? [ladder.nearest(at)].filter(Boolean) : ladder.frames) {
      const source2 = ladder.source(frame2, kind, channel);
      if (!source2.key) continue;
      if (ladder.assets.has(source2.key)) {
        here.push(frame2);
        continue;
      }
      full = false;
      if (ladder.failed.has(source2.key)) continue;
      if (this.busy.has(source2.key)) here.push(frame2);
      else if (!frame2.extra || frame2.at === at) missing.push([frame2, source2]);
    }
    if (full && !alone && ladder.frames.length) ladder.full.add(name2);
    if (!missing.length) return null;
    const gap = ([frame2]) => Math.min(...here.map((other) => Math.abs(other.at - frame2.at)));
    const nearest = missing.reduce((a, b) => Math.abs(b[0].at - at) < Math.abs(a[0].at - at) ? b : a);
    const best = ladder.nearest(at);
    if (!here.length || nearest[0] === best)
      return { ladder, kind, frame: nearest[0], source: nearest[1], urgency: Infinity };
    const [frame, source] = missing.reduce((a, b) => gap(b) > gap(a) ? b : a);
    const weight = kind === "by_channel" ? 4 : 1;
    return { ladder, kind, frame, source, urgency: weight * gap([frame]) };
  }
  pump() {
    while (this.busy.size < (this.pixels() > LARGE ? 1 : AT_ONCE)) {
      const candidates = this.wants.map((want) => this.next(want)).filter(Boolean).sort((a, b) => b.urgency - a.urgency);
      const best = candidates.find((candidate) => this.makeRoom(candidate));
      if (!best) return;
      this.fetch(best);
    }
  }
  get held() {
    let sum = 0;
    for (const ladder of this.ladders.values()) sum += ladder.held;
    return sum;
  }
  /** Room for one more asset, if need be in place of others: of any for the frame at hand, else of unused ones. */
  makeRoom({ ladder, kind, source, urgency }) {
    const last = [...ladder.assets.values()].at(-1);
    const bytes = ladder.parts(source)?.reduce((sum, [, length]) => sum + length, 0) ?? (last ? sizeOf(last) : 4 * this.pixels());
    const atHand = urgency === Infinity;
    if (!atHand && kind === "picture" && ladder.received * (1 + 1 / Math.max(1, ladder.assets.size)) > WIRE)
      return false;
    let over = this.held + (this.busy.size + 1) * bytes - HELD;
    if (over <= 0) return true;
    for (const other of this.ladders.values()) {
      if (over <= 0) return true;
      if (this.wants.some((want) => want.ladder === other)) continue;
      over -= other.held;
      other.close();
    }
    if (over <= 0 || !atHand) return over <= 0;
    if (this.busy.size) return false;
    const far = this.wants.flatMap(
      (want) => want.ladder.frames.map((frame) => ({
        want,
        key: want.ladder.source(frame, want.kind, want.channel).key,
        away: Math.abs(frame.at - want.at)
      }))
    );
    const needed = new Set(far.filter(({ want, key, away }) => away === 0 || key === want.shown).map(({ key }) => key));
    for (const { want, key } of far.sort((a, b) => b.away - a.away)) {
      if (over <= 0) break;
      const asset = want.ladder.assets.get(key);
      if (!asset || needed.has(key)) continue;
      over -= sizeOf(asset);
      want.ladder.drop(key);
    }
    return true;
  }
  async fetch({ ladder, kind, source }) {
    this.busy.add(source.key);
    try {
      const bytes = await this.host.bytes(ladder.id, source.file, ladder.parts(source));
      this.received += bytes.size;
      ladder.received += bytes.size;
      const asset = kind === "picture" ? await decodePicture(bytes) : new Float32Array(await bytes.arrayBuffer());
      if (this.closed || this.ladders.get(ladder.id) !== ladder) asset.close?.();
      else {
        ladder.assets.set(source.key, asset);
        this.trim(ladder);
      }
    } catch {
      ladder.failed.add(source.key);
      setTimeout(() => {
        ladder.failed.delete(source.key);
        if (!this.closed) this.poll(ladder);
      }, 2e3);
    } finally {
      this.busy.delete(source.key);
    }
    if (this.closed) return;
    this.changed();
    this.pump();
  }
  /** Frames between the grid's come one by one as λ is released: the oldest go again. */
  trim(ladder) {
    const extra = ladder.frames.filter((frame) => frame.extra && ladder.assets.has(frame.file));
    const keep = ladder.info.total ? KEEP_EXTRA : 1;
    for (const frame of extra.slice(0, Math.max(0, extra.length - keep))) {
      if (this.wants.some((want) => want.ladder === ladder && want.at === frame.at)) continue;
      ladder.drop(frame.file);
    }
  }
  close() {
    this.closed = true;
    this.forgetAllBut(/* @__PURE__ */ new Set());
  }
};
var decodePicture = (bytes) => createImageBitmap(bytes, { colorSpaceConversion: "none", premultiplyAlpha: "none" });

// mae_viz/viewer/js/painting.js
function paintPane(viewer, pane) {
  const { canvas } = pane;
  const spot = viewer.view.place(canvas);
  paint(pane.context, spot, viewer.picture, viewer.shownIn(pane), viewer);
  viewer.brush.paint(pane.context, spot);
  placeCross(viewer, pane, spot);
}
function placeCross({ cursor, mode: mode2 }, { cross, readout, canvas }, spot) {
  cross.hidden = readout.hidden = !cursor || mode2 !== "side";
  if (cross.hidden) return;
  const ratio = canvas.width / canvas.clientWidth;
  const size = Math.max(spot.scale, 5) / ratio;
  const [x, y] = [spot.left, spot.top].map((offset, i) => (offset + (cursor[i] + 0.5) * spot.scale) / ratio - size / 2);
  cross.style.cssText = `width:${size}px;height:${size}px;transform:translate(${x}px,${y}px)`;
}
function paintShared(viewer) {
  const {
    sharedContext: context,
    sharedCanvas: canvas,
    picture,
    pair: [a, b]
  } = viewer;
  const spot = viewer.view.place(canvas);
  if (viewer.mode === "blink") {
    paint(context, spot, picture, viewer.shownIn(viewer.flipped ? b : a), viewer);
    return viewer.brush.paint(context, spot);
  }
  const { width, height } = canvas;
  const cut = Math.round(viewer.wipe * width);
  for (const [pane, left, right] of [
    [a, 0, cut],
    [b, cut, width]
  ]) {
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    paint(context, spot, picture, viewer.shownIn(pane), viewer);
    context.restore();
  }
  viewer.brush.paint(context, spot);
}

// mae_viz/viewer/js/choice.js
var LAYERS = panes_default.layers;
var SENSES = {
  bytes(frames, goal) {
    const fitting = frames.filter((f) => f.bytes <= goal);
    if (!fitting.length) return frames.reduce((a, b) => b.bytes < a.bytes ? b : a);
    return fitting.reduce((a, b) => b.bytes > a.bytes ? b : a);
  },
  psnr_db(frames, goal) {
    const db2 = (f) => f.psnr_db === "inf" ? Infinity : f.psnr_db;
    const fitting = frames.filter((f) => db2(f) >= goal);
    if (!fitting.length) return frames.reduce((a, b) => db2(b) > db2(a) ? b : a);
    return fitting.reduce((a, b) => b.bytes < a.bytes ? b : a);
  }
};
var NEEDS = { picture: "picture", difference: "picture", bits: "bits", y: "y", ratio: "y" };
var Choice = class {
  /** `viewer`: what all panes share, {manifest, index, whole, channel, panes, original, ladderOf(codec),
   *  reference(pane)}, and changed(), which is called after a person's choice. */
  constructor(viewer, state) {
    this.viewer = viewer;
    this.assume(state);
  }
  /** Become what the host or an address says. */
  assume(state) {
    this.state = { codec: "original", layer: "picture", channel: null, follow: null, own: null, base: 0, ...state };
  }
  /** A person's choice: new state for this pane; panes that show one channel go on to the next together. */
  choose(change) {
    for (const name2 of ["channel", "base"]) if (name2 in change) change[name2] = +change[name2];
    if ("codec" in change) Object.assign(this.state, { follow: null, own: null, channel: null });
    if (change.follow === "own") change.own ??= this.at ?? null;
    if ("channel" in change) {
      const { channel } = this;
      for (const pane of this.viewer.panes) if (pane.channel === channel) pane.state.channel = change.channel;
    }
    const { axis } = this.plain;
    Object.assign(this.state, change);
    if (this.plain.axis !== axis) this.state.base = 0;
    this.viewer.changed();
  }
  /** The codec that was chosen. */
  get plain() {
    const { codecs } = this.viewer.manifest;
    return codecs.find((c) => c.id === this.state.codec) ?? codecs[0];
  }
  get plainLadder() {
    return this.viewer.ladderOf(this.plain);
  }
  /** The codec whose file is on show: the chosen one, or that with its latents refined. */
  get codec() {
    return this.refined?.codec ?? this.plain;
  }
  get ladder() {
    return this.refined?.ladder ?? this.plainLadder;
  }
  get layers() {
    if (this.plain.axis === "none") return ["picture"];
    if (!this.plain.maps || this.viewer.whole) return ["picture", "difference"];
    return Object.keys(LAYERS).filter((layer) => layer !== "ratio" || !this.plain.only.length);
  }
  get layer() {
    return this.layers.includes(this.state.layer) ? this.state.layer : "picture";
  }
  /** What the layer is made of, as frames have it: "picture", "bits" or "y". */
  get kind() {
    return NEEDS[this.layer];
  }
  get follow() {
    if (this.plain.axis === "none") return "none";
    return this.state.follow ?? (this.plain.axis === "lmbda" ? "shared" : "bytes");
  }
  /** Whether its rate is chosen for bytes or PSNR that another pane has. */
  get matches() {
    return this.follow in SENSES;
  }
  get channel() {
    const kept = this.plainLadder.info?.kept;
    const chosen = this.state.channel ?? this.viewer.channel;
    return kept && !kept.includes(chosen) ? kept[0] : chosen;
  }
  /** The rates that a ratio may divide by, and what each is called: trained λ, or the qualities that a codec lists. */
  get bases() {
    const { plain: codec, viewer } = this;
    if (codec.axis === "lmbda") return viewer.trainedMarks().map(([index, value]) => [index, `λ ${value}`]);
    return codec.listed.map((at) => [at, `${codec.unit} ${at}`]);
  }
  /** The rate that a ratio divides by. */
  get base() {
    const { plain: codec, state } = this;
    return codec.axis === "lmbda" || codec.listed.includes(state.base) ? state.base : codec.listed[0];
  }
  /** The rates that this pane wants exactly, once λ rests. */
  get exact() {
    if (this.follow === "shared") return [this.target()];
    if (this.matches) return this.between();
    return this.follow === "own" && this.state.own !== null ? [this.state.own] : [];
  }
  /** The rate of what it is divided by, which it wants as exactly. */
  get divisor() {
    return this.layer === "ratio" ? [this.base] : [];
  }
  /** Whether what its frame is compared with is not here yet. */
  get lacking() {
    const { viewer, plainLadder: ladder, layer, kind, channel } = this;
    const [of, at, part] = layer === "difference" ? [viewer.original, 0, "picture"] : [ladder, this.divisor[0], kind];
    if (at === void 0) return false;
    const other = of.frames.find((f) => f.at === at);
    return !(other && of.get(other, part, channel));
  }
  /** Whether all files that are known lie on one side of what it is matched to, and a frame to come may lie nearer. */
  get oneSided() {
    const { plain: codec, follow } = this;
    const { frames, info } = this.plainLadder;
    const goal = this.matches && this.viewer.reference(this)?.[follow];
    if (!Number.isFinite(goal) || !(info?.total > frames.filter((f) => !f.extra).length)) return false;
    const there = (at) => frames.some((f) => f.at === at);
    const below2 = (f) => f[follow] <= goal;
    if (codec.only.length) return true;
    return frames.every(below2) && !there(codec.last) || !frames.some(below2) && !there(codec.first);
  }
  /** The rates that there are frames of, in order. */
  rates() {
    return this.plainLadder.frames.map((f) => f.at).sort((a, b) => a - b);
  }
  /** The rate that this pane asks for, on its codec's own axis. */
  target() {
    if (this.follow === "none") return 0;
    if (this.follow === "shared") return this.shared();
    if (this.follow === "own" && this.state.own !== null) return this.state.own;
    const goal = this.viewer.reference(this)?.[this.follow];
    const { frames } = this.plainLadder;
    if (!goal || !frames.length) return this.at ?? this.plain.start ?? 0;
    return SENSES[this.follow](frames, goal).at;
  }
  /** A rate between the frames that lie about what the pane is matched to, where a file may come nearer; none where
   *  they are neighbours. */
  between() {
    const { follow, plainLadder: ladder, plain: codec } = this;
    const goal = this.viewer.reference(this)?.[follow];
    if (!Number.isFinite(goal) || codec.only.length) return [];
    const sorted = ladder.frames.filter((f) => Number.isFinite(f[follow])).sort((a2, b2) => a2.at - b2.at);
    const i = sorted.findIndex((f) => f[follow] > goal);
    if (i < 1) return [];
    const [a, b] = [sorted[i - 1], sorted[i]];
    const t = (goal - a[follow]) / (b[follow] - a[follow]);
    const at = Math.round(a.at + (b.at - a.at) * t);
    const inside = Math.min(b.at - 1, Math.max(a.at + 1, at));
    return a[follow] < goal && inside > a.at && inside < b.at ? [inside] : [];
  }
  /** λ for all, or of a group of networks for one λ each the nearest. */
  shared() {
    const { first, last, only } = this.plain;
    const { index } = this.viewer;
    if (only.length) return only.reduce((a, b) => Math.abs(b - index) < Math.abs(a - index) ? b : a);
    return Math.min(last, Math.max(first, index));
  }
  /** Decide which frame to show now; returns what must be fetched for it, as `Frames.want` takes it. */
  resolve() {
    const { plainLadder, layer, kind, channel } = this;
    this.at = this.target();
    const has = (ladder2) => (f) => ladder2.get(f, kind, channel);
    const refined = this.viewer.refinements?.at(this, this.at);
    this.refined = refined?.ladder.nearest(this.at, has(refined.ladder)) ? refined : null;
    const { ladder } = this;
    this.frame = ladder.nearest(this.at, has(ladder));
    const best = ladder.nearest(this.at);
    this.waiting = !best || this.frame !== best && !refined || this.lacking || !this.viewer.manifest.static && (this.oneSided || this.exact.some((at) => at !== best.at));
    const shown = (of) => this.frame && of === ladder && ladder.source(this.frame, kind, channel).key;
    const wants = [{ ladder: plainLadder, kind, channel, at: this.at, shown: shown(plainLadder) }];
    if (refined) wants.unshift({ ...wants[0], ladder: refined.ladder, shown: shown(refined.ladder), alone: true });
    if (layer === "difference") wants.push({ ladder: this.viewer.original, kind: "picture", at: 0 });
    if (layer === "ratio") wants.push({ ladder: plainLadder, kind, channel, at: this.base });
    return wants;
  }
};

// mae_viz/viewer/js/pane.js
var GAINS = [1, 2, 4, 8, 16];
var NUMBERS = { rate: "rate", bytes: "bytes", bpp: "bpp", psnr_db: "PSNR", ms_ssim_db: "MS-SSIM", saved: "saved" };
var Pane = class extends Choice {
  constructor(viewer, state) {
    super(viewer, state);
    this.scratch = new OffscreenCanvas(1, 1);
    this.ranges = /* @__PURE__ */ new WeakMap();
    this.build();
  }
  build() {
    const select = (name2, label2) => h("select", { "aria-label": label2, onchange: (e) => this.choose({ [name2]: e.target.value }) });
    this.selects = {
      codec: select("codec", "Codec"),
      layer: select("layer", "Layer"),
      channel: select("channel", "Channel"),
      base: select("base", "Divided by y at"),
      gain: h("select", { "aria-label": "Amplification", onchange: (e) => this.viewer.set({ gain: +e.target.value }) }),
      follow: select("follow", "Rate")
    };
    this.own = h("input", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "This pane's own rate",
      oninput: () => this.turn(),
      onchange: () => this.viewer.changed()
    });
    const wrap = (name2) => h("span", { class: "chooser" }, this.selects[name2]);
    this.letter = h("strong", { class: "letter" });
    this.swatch = h("i", { class: "swatch", "aria-hidden": "true" });
    this.head = h("div", { class: "head" }, this.letter, this.swatch, ...Object.keys(this.selects).map(wrap), this.own);
    this.canvas = h("canvas");
    this.readout = h("div", { class: "readout", "aria-hidden": "true" });
    this.cross = h("div", { class: "cross", "aria-hidden": "true" });
    this.stage = h(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "picture pane" },
      this.canvas,
      this.cross,
      this.readout
    );
    this.numbers = Object.fromEntries(Object.keys(NUMBERS).map((name2) => [name2, h("dd")]));
    const further = this.viewer.manifest.further;
    this.further = Object.fromEntries(further.map(({ name: name2 }) => [name2, h("dd")]));
    const item = (label2, dd, title = null) => h("div", { title }, h("dt", { text: label2 }), dd);
    const list = [
      ...Object.entries(NUMBERS).map(([name2, label2]) => item(label2, this.numbers[name2])),
      ...further.map(({ name: name2, title, definition }) => item(title, this.further[name2], definition))
    ];
    this.note = h("p", { class: "note" });
    this.bar = h("div", { class: "bar" }, h("i"), h("b"), h("span"), h("span"), h("span"));
    this.facts = h("p", { class: "facts" });
    this.legend = h("div", { class: "legend", hidden: true }, this.bar, this.facts);
    this.acts = this.viewer.laboratory?.bench.acts(this) ?? h("div", { hidden: true });
    this.foot = h("div", { class: "foot" }, this.legend, h("dl", {}, ...list), this.note, this.acts);
    this.tag = h("div", { class: "tag" }, this.head, this.foot);
    this.element = h(
      "section",
      { class: "pane", onfocusin: () => this.viewer.activate(this), onpointerdown: () => this.viewer.activate(this) },
      this.tag,
      this.stage
    );
    this.context = this.canvas.getContext("2d", { alpha: false });
  }
  /** The pane's own rate while its slider moves. */
  turn() {
    this.state.own = this.rates()[+this.own.value];
    this.viewer.schedule();
  }
  /** What it shows, once all panes know their frames. */
  prepare() {
    this.shown = this.frame ? this.compose() : null;
  }
  /** What is painted: {kind: layer, bitmap}, or a map {kind, plane, values, top, ratio, rows, columns, stride, ends};
   *  null while what the frame is compared with is not here. */
  compose() {
    const { layer, kind, ladder, channel, frame, scratch } = this;
    const asset = ladder.get(frame, kind, channel);
    if (layer === "picture") return { kind: layer, bitmap: asset };
    if (layer === "difference") return this.composeDifference(asset);
    const {
      places: [rows, columns],
      stride
    } = ladder.info;
    const map = { kind: layer, plane: scratch, values: asset, ratio: null, rows, columns, stride, ends: null };
    if (layer === "ratio") {
      const { plainLadder } = this;
      const base = plainLadder.frames.find((f) => f.at === this.base);
      const divisor = plainLadder.get(base, kind, channel);
      if (!divisor) return null;
      map.ratio = { ...ratioOf(asset, divisor, this.viewer.manifest.mask_share), base };
      ({ values: map.values, mean: map.top } = map.ratio);
    } else Object.assign(map, { top: this.top(), ends: this.ends(asset) });
    drawPlane(scratch, layer, map.values, map.top, columns, rows);
    this.scratchKey = null;
    return map;
  }
  composeDifference(asset) {
    const original = this.viewer.originalBitmap();
    const { gain } = this.viewer;
    if (!original) return null;
    const key = `${this.frame.file} ${gain}`;
    if (this.scratchKey !== key) {
      Object.assign(this.scratch, { width: asset.width, height: asset.height });
      difference2(this.scratch, original, asset, gain);
      this.scratchKey = key;
    }
    return { kind: "difference", bitmap: this.scratch };
  }
  ends(plane) {
    if (!this.ranges.has(plane)) this.ranges.set(plane, range(plane));
    return this.ranges.get(plane);
  }
  /** The panes whose colours mean the same as here: bits are compared from codec to codec. */
  get alike() {
    return this.layer === "bits" ? this.viewer.panes.filter((p) => p.layer === "bits") : [this];
  }
  /** Where the colours end: this frame's largest magnitude, or that of all frames here; bits have one scale for all. */
  top() {
    const planes = this.alike.flatMap(
      ({ ladder, kind, channel, frame }) => (this.viewer.lockRange ? ladder.frames : [frame]).map((f) => ladder.get(f, kind, channel)).filter(Boolean)
    );
    return Math.max(1e-9, ...planes.map((plane) => Math.max(...this.ends(plane).map(Math.abs))));
  }
  /** The choosers and numbers as text. Called once a drawing frame: touches only what differs. */
  describe() {
    const { codec, frame, layer, selects, numbers, viewer } = this;
    fill(
      selects.codec,
      viewer.manifest.codecs.map((c) => [c.id, c.title]),
      this.plain.id
    );
    fill(
      selects.layer,
      this.layers.map((l) => [l, LAYERS[l]]),
      layer
    );
    if (layer !== "y" && layer !== "ratio") fill(selects.channel, [], 0);
    else if (!viewer.dragging) {
      const { channel } = this;
      const ranked = [...this.ladder.info?.kept ?? frame?.rank ?? []];
      if (!ranked.includes(channel)) ranked.unshift(channel);
      const most = ranked[0] === frame?.rank?.[0] ? ranked[0] : null;
      fill(
        selects.channel,
        ranked.map((c) => [c, `channel ${c}${c === most ? " (most bits)" : ""}`]),
        channel
      );
    }
    fill(selects.base, layer === "ratio" ? this.bases.map(([at, name2]) => [at, `over ${name2}`]) : [], this.base);
    fill(selects.gain, layer === "difference" ? GAINS.map((g) => [g, `× ${g}`]) : [], viewer.gain);
    const rates = codec.axis === "none" ? [] : [
      ["bytes", "same bytes"],
      ["psnr_db", "same PSNR"],
      ["own", codec.axis === "lmbda" ? "own λ" : `own ${codec.unit}`]
    ];
    if (codec.axis === "lmbda") rates.unshift(["shared", "shared λ"]);
    fill(selects.follow, rates, this.follow);
    this.describeOwn();
    setText(numbers.rate, rateText(codec, frame) || "–");
    setText(numbers.bytes, frame ? bytesText(frame.bytes) : "…");
    setText(numbers.bpp, frame ? frame.bpp === void 0 ? "24" : frame.bpp.toFixed(3) : "…");
    setText(numbers.psnr_db, frame && codec.axis !== "none" ? decibels(frame.psnr_db) : "–");
    setText(numbers.ms_ssim_db, frame && codec.axis !== "none" ? decibels(frame.ms_ssim_db) : "–");
    for (const [name2, dd] of Object.entries(this.further))
      setText(dd, frame?.further ? score(frame.further[name2]) : "–");
    setText(
      numbers.saved,
      frame?.bpp === void 0 ? "–" : `${(100 * (1 - frame.bpp / 24)).toFixed(1).replace("-", "−")} %`
    );
    setText(this.note, this.noteText());
    if (this.note.title !== this.note.textContent) this.note.title = this.note.textContent;
    this.swatch.hidden = codec.axis === "none";
    this.swatch.style.background = codec.colour;
    setText(this.letter, viewer.manifest.blind ? this.title : "");
    this.describeMap();
    viewer.laboratory?.bench.describeActs(this);
    this.element.toggleAttribute("data-refined", Boolean(this.refined));
    this.element.dataset.at = frame ? frame.at : "";
    this.element.toggleAttribute("data-waiting", this.waiting);
  }
  describeOwn() {
    const rates = this.rates();
    this.own.hidden = this.follow !== "own" || !rates.length;
    if (this.own.hidden) return;
    this.own.max = rates.length - 1;
    this.own.value = rates.indexOf(this.at);
    this.own.setAttribute("aria-valuetext", rateText(this.codec, this.frame));
  }
  noteText() {
    const {
      codec,
      frame,
      ladder: { info, error },
      viewer
    } = this;
    if (error) return error;
    const total = info?.total ?? 0;
    const done = info ? info.frames.filter((f) => !f.extra).length : 0;
    const working = viewer.whole && info?.done ? ` · ${Math.round(100 * info.done)} % of it` : "";
    const progress = total > done ? ` · ${done} of ${total} rates ready` : working;
    if (!frame) return `computing the ${viewer.whole ? "whole" : "first"} picture …${progress}`;
    if (codec.axis === "none") return codec.about;
    return this.rule() + progress;
  }
  /** Why this frame is shown and no other. */
  rule() {
    const { codec, frame, follow, viewer } = this;
    if (this.refined) return this.refined.codec.title;
    if (this.lacking) return "what it is compared with is coming";
    const other = viewer.refinements.elsewhere(this);
    if (other) return `the plain file: refined at λ ${lambdaText(viewer.lmbdaAt(other.at))}`;
    const exact = frame.at === this.at;
    if (this.waiting && !exact)
      return `nearest frame, at ${rateText(codec, frame)}${viewer.dragging ? "" : "; the exact one is coming"}`;
    if (follow === "shared" && !exact) return "nearest frame";
    const goal = this.matches && viewer.reference(this);
    if (goal) return this.matched(goal);
    if (codec.only.length)
      return frame.at === viewer.index || follow === "own" ? codec.about : `${codec.about}: the nearest`;
    if (codec.axis !== "lmbda") return codec.about;
    return viewer.isTrained(frame.at, codec) ? "a λ it was trained for" : codec.between;
  }
  /** How near it comes to the file that it is matched to; that it cannot come nearer only once that is known. */
  matched(goal) {
    const { frame, follow } = this;
    const better = follow === "psnr_db";
    const off = better ? frame.psnr_db - goal.psnr_db : 100 * (frame.bytes / goal.bytes - 1);
    const size = better ? `${Math.abs(off).toFixed(2)} dB` : `${Math.abs(off).toFixed(1)} %`;
    if (better ? off >= 0 : off <= 0)
      return `held at the same ${better ? "PSNR" : "bytes"}: ${size} ${better ? "above" : "below"}`;
    if (this.oneSided) return `the nearest file so far: ${size} ${better ? "below" : "above"}`;
    return better ? `even its best file is ${size} below` : `even its smallest file is ${size} larger`;
  }
  describeMap() {
    const { shown } = this;
    this.legend.hidden = !shown?.values && this.layer !== "difference";
    this.bar.hidden = !shown?.values;
    if (this.layer === "difference") {
      const { gain } = this.viewer;
      const white = `at ${Math.round(255 / gain)} of 255 it is white`;
      setText(this.facts, `black = equal; |error| of each colour × ${gain}, ${white}`);
    }
    if (!shown?.values) return;
    const { css, labels, second } = scale(shown.kind, shown.top);
    const [gradient2, other, ...texts] = this.bar.children;
    if (gradient2.style.background !== css) gradient2.style.background = css;
    other.hidden = !second;
    if (second) other.style.background = second;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    setText(this.facts, this.mapText());
  }
  mapText() {
    const {
      shown: { kind, ratio, ends: ends2, stride },
      frame,
      channel
    } = this;
    if (!ratio) {
      const what = kind === "bits" ? `bits of each ${stride} × ${stride} block` : `y of channel ${channel}, before rounding`;
      const shared = this.alike.length > 1 ? "; one scale for all bits here" : "";
      return `${what}: ${short(ends2[0])} … ${short(ends2[1])}${shared}`;
    }
    const { masked, negative, mean, constancy, base } = ratio;
    const below2 = rateText(this.codec, base);
    if (!Number.isFinite(mean)) return `this channel is switched off at ${below2}: nothing to divide by`;
    const varies = `mean ${short(mean)}, varies by ${percent(constancy)} of it`;
    const rest = `${percent(masked)} masked (hatched), ${percent(negative)} negative (pink, dash)`;
    return `y(${rateText(this.codec, frame)}) / y(${below2}): ${varies}; ${rest}`;
  }
  /** What lies under a picture point, in words. */
  value(x, y, pixelOf2) {
    const { shown } = this;
    if (!shown) return "";
    if (shown.values) {
      const column = Math.floor(x / shown.stride);
      const row = Math.floor(y / shown.stride);
      const v = shown.values[row * shown.columns + column];
      const unit = shown.kind === "bits" ? " bits" : "";
      return `place ${column}, ${row}: ${Number.isNaN(v) ? "masked" : short(v)}${unit}`;
    }
    const rgb = pixelOf2(this.ladder.get(this.frame, "picture"), x, y);
    const original = this.viewer.originalBitmap();
    const text = `${x}, ${y}: ${rgb.join(" ")}`;
    if (this.codec.axis === "none" || !original) return text;
    const error = pixelOf2(original, x, y).map((v, i) => rgb[i] - v);
    return `${text} (error ${error.map((e) => e > 0 ? `+${e}` : `${e}`.replace("-", "−")).join(" ")})`;
  }
  get title() {
    const { codec, layer, viewer } = this;
    if (viewer.manifest.blind) return String.fromCharCode(65 + viewer.panes.indexOf(this));
    const channel = ["y", "ratio"].includes(layer) ? ` ${this.channel}` : "";
    return layer === "picture" ? codec.title : `${codec.title}, ${LAYERS[layer]}${channel}`;
  }
  get summary() {
    const { frame, codec } = this;
    if (this.viewer.manifest.blind) return "a codec without its name";
    if (!frame || codec.axis === "none") return codec.about;
    const [rate, bytes, bpp, psnr_db, ms_ssim_db] = Object.keys(NUMBERS).map((name2) => this.numbers[name2].textContent);
    return `${rate} · ${bytes} bytes · ${bpp} bpp · PSNR ${psnr_db} · MS-SSIM ${ms_ssim_db}`;
  }
};

// mae_viz/viewer/js/refining.js
var Refinement = class {
  constructor(pane, mask) {
    this.pane = pane;
    this.plain = pane.plain;
    this.of = pane.plainLadder.id;
    this.at = pane.target();
    this.mask = mask;
    this.ladder = null;
    this.error = null;
    this.stopped = false;
    this.hidden = false;
  }
  /** What its listing says of it, null before there is one. */
  get told() {
    return this.ladder?.info?.refinement ?? null;
  }
  /** The best file so far; null as long as that is the plain one. */
  get frame() {
    return this.told?.step ? this.ladder.frames[0] : null;
  }
  get done() {
    return Boolean(this.ladder?.info?.complete && this.told.step === this.told.steps && this.frame);
  }
  get works() {
    return !(this.done || this.stopped || this.fault);
  }
  get fault() {
    return this.error ?? this.ladder?.info?.error ?? null;
  }
  /** The codec that panes name: the plain one's facts under a title of its own. */
  get codec() {
    const { told, plain, at, ladder } = this;
    if (!told) return plain;
    this.named ??= { ...plain, ladder: ladder.id, first: at, last: at, start: at, listed: [at] };
    const far = this.done ? "" : ` (${told.step} of ${told.steps})`;
    const painted = this.mask ? ", for what is painted" : "";
    const { id, colour, title, short: short2 } = told.codec;
    const said = { title: `${title}${far}${painted}`, short: `${short2}${far}`, about: `${title}${far}${painted}` };
    return Object.assign(this.named, { id, colour, between: "", only: [] }, said);
  }
};
var Refinements = class {
  constructor(viewer) {
    this.viewer = viewer;
    this.all = [];
  }
  // what panes and panels ask
  /** Whether a pane's file can be refined here. */
  offered({ plain }) {
    const { laboratory, host, whole, manifest } = this.viewer;
    return Boolean(laboratory && host.refine && !whole && !manifest.blind && plain.refinable);
  }
  /** The refinement that belongs to what a pane stands at, whether or not it has a frame yet. */
  at(pane, at) {
    if (this.viewer.whole) return null;
    const of = pane.plainLadder.id;
    return this.all.findLast((r) => r.pane === pane && r.of === of && r.at === at && r.frame && !r.hidden) ?? null;
  }
  /** One of a pane's codec and picture at another λ. */
  elsewhere(pane) {
    const of = pane.plainLadder.id;
    return this.all.findLast((r) => r.pane === pane && r.of === of && r.at !== pane.at && r.frame) ?? null;
  }
  /** What is on show of a codec at λ: its refinement, where its pane shows that; null where it is the plain file. */
  shownOf(codec) {
    const { panes, index } = this.viewer;
    return panes.find((p) => p.plain === codec && p.refined && p.at === index)?.refined ?? null;
  }
  /** Of a codec at λ what there is to show as `kind`, as `take` says: of the refined file, of the plain one until that
   *  is here. */
  take(codec, kind, channel) {
    const { index } = this.viewer;
    const ladder = this.viewer.ladderOf(codec);
    const plain = { ...take(ladder, kind, index, channel), ladder, codec };
    const refinement = this.shownOf(codec);
    if (!refinement) return { ...plain, wants: [plain.want] };
    const found = take(refinement.ladder, kind, index, channel, true);
    const wants = [found.want, plain.want];
    if (!found.asset) return { ...plain, wants };
    return { ...found, ladder: refinement.ladder, codec: refinement.codec, wants, plain };
  }
  /** The ladders to keep: those of refinements of what is on show. */
  keep(ids) {
    const gone = this.all.filter((r) => !ids.has(r.of));
    this.all = this.all.filter((r) => ids.has(r.of));
    for (const refinement of gone) this.drop(refinement);
    return this.all.map((r) => r.ladder?.id).filter(Boolean);
  }
  // what people do
  async start(pane) {
    const mask = this.viewer.brush.mask();
    for (const other of this.all) if (other.works) this.stop(other);
    const made = new Refinement(pane, mask);
    const same = (r) => r.pane === pane && r.of === made.of && r.at === made.at;
    for (const other of this.all.filter(same)) this.drop(other);
    this.all = [...this.all.filter((r) => !same(r)), made];
    this.viewer.laboratory.bench.open(pane);
    try {
      const id = await this.viewer.host.refine(made.of, made.at, mask && await packed(mask));
      if (!made.stopped) made.ladder = this.viewer.frames.wake(id);
    } catch (error) {
      made.error = String(error.message ?? error);
    }
    this.viewer.schedule();
  }
  /** It ends where it is: the best file so far stays. */
  stop(refinement) {
    refinement.stopped = true;
    if (refinement.ladder) {
      this.viewer.frames.rest(refinement.ladder);
      this.viewer.host.letGo(refinement.ladder.id);
    }
    this.viewer.schedule();
  }
  drop(refinement) {
    if (refinement.works) this.stop(refinement);
    if (refinement.pane.refined === refinement) refinement.pane.refined = null;
  }
  /** Stop what is at work in a pane, or start: for what is painted, where something is. */
  turn(pane) {
    const works = this.worksIn(pane);
    if (works) this.stop(works);
    else this.start(pane);
  }
  worksIn(pane) {
    return this.all.findLast((r) => r.pane === pane && r.works) ?? null;
  }
  /** The refinement that there is to say something about in a pane: where λ is, else in work, else the latest. */
  current(pane) {
    const mine = this.all.filter((r) => r.pane === pane && r.of === pane.plainLadder.id);
    return mine.findLast((r) => r.at === pane.at) ?? mine.find((r) => r.works) ?? mine.at(-1) ?? null;
  }
  /** The plain codec beside it under the wipe, at the λ whose file is as long. */
  compare({ pane, plain }) {
    this.viewer.besides(pane, { codec: plain.id, layer: "picture", follow: "bytes" });
  }
  /** Of earlier moments nothing needs to stay in memory; what the server has lost ends where it is. */
  trim() {
    for (const refinement of this.all) {
      const { ladder } = refinement;
      if (!ladder) continue;
      if (ladder.gone && refinement.works) this.stop(refinement);
      const files = ladder.frames.flatMap((f) => [f.file, f.y, f.bits, f.by_channel]);
      for (const key of [...ladder.assets.keys()]) if (!files.includes(key.split("/")[0])) ladder.drop(key);
    }
  }
  close() {
    for (const refinement of this.all) if (refinement.works) this.stop(refinement);
  }
};
async function packed({ bytes }) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// mae_viz/viewer/js/saving.js
function sheet(tiles, style) {
  const ratio = globalThis.devicePixelRatio || 1;
  const pad = Math.round(12 * ratio);
  const line = Math.round(20 * ratio);
  const columns = tiles.length > 2 ? Math.ceil(tiles.length / 2) : tiles.length;
  const width = Math.max(...tiles.map((t) => t.canvas.width));
  const height = Math.max(...tiles.map((t) => t.canvas.height));
  const cell = [width + pad, height + pad + 3 * line];
  const out = document.createElement("canvas");
  out.width = columns * cell[0] + pad;
  out.height = Math.ceil(tiles.length / columns) * cell[1] + pad;
  const c = out.getContext("2d");
  c.fillStyle = style.background;
  c.fillRect(0, 0, out.width, out.height);
  c.fillStyle = style.text;
  c.textBaseline = "middle";
  tiles.forEach((tile, i) => {
    const x = pad + i % columns * cell[0];
    const y = pad + Math.floor(i / columns) * cell[1];
    c.font = `600 ${Math.round(14 * ratio)}px ${style.font}`;
    c.fillText(tile.title, x, y + line / 2, width);
    c.drawImage(tile.canvas, x, y + line);
    c.font = `${Math.round(13 * ratio)}px ${style.font}`;
    c.fillText(tile.numbers, x, y + line + tile.canvas.height + line / 2 + 2 * ratio, width);
  });
  return out;
}
function save(blob, name2) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name2;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
}
function savePng(tiles, style, name2) {
  sheet(tiles, style).toBlob((blob) => save(blob, `${name2}.png`), "image/png");
}
function saveCsv(text, name2) {
  save(new Blob(["\uFEFF", text], { type: "text/csv" }), `${name2}.csv`);
}

// mae_viz/viewer/js/viewer.js
var SETTLE_MS2 = 350;
var BLINK_MS = 800;
var Viewer = class {
  constructor(root, host) {
    this.root = root;
    this.host = host;
    this.view = new View(
      () => this.picture,
      () => this.leading,
      () => this.looked()
    );
    this.whole = false;
    this.channel = null;
    this.serial = 0;
    this.mode = "side";
    this.wipe = 0.5;
    this.gain = 8;
    this.lockRange = false;
    this.panes = [];
    this.refinements = new Refinements(this);
    this.brush = new Brush(this);
    this.frames = new Frames(
      host,
      () => this.schedule(),
      (ladder) => this.exact(ladder),
      () => this.picture.width * this.picture.height,
      (ladder) => this.inPanes(ladder)
    );
    this.sizes = new ResizeObserver((entries) => this.resize(entries));
  }
  build() {
    this.controls = new Controls(this);
    const { element, slider, handle, sharedStage, sharedCanvas, laboratory } = this.controls;
    Object.assign(this, { element, slider, handle, sharedStage, sharedCanvas, laboratory });
    this.sharedContext = sharedCanvas.getContext("2d", { alpha: false });
    this.root.append(element);
    this.sizes.observe(sharedCanvas);
    this.sizes.observe(element);
    this.hands = new AbortController();
    listen(this, this.hands.signal);
    listenStage(this, sharedStage, sharedCanvas);
  }
  /** New picture, codecs, rate or panes from the host; what a person chose stays unless the host changed it too. */
  update(manifest) {
    const before = this.manifest;
    const same = (name2) => before && JSON.stringify(before[name2]) === JSON.stringify(manifest[name2]);
    const current = (manifest.answers ?? this.serial) >= this.serial;
    this.manifest = manifest;
    if (!before) this.build();
    const shown = before && JSON.stringify(this.state);
    if (!same("rate") && !this.dragging) {
      if (current || !before) this.index = manifest.rate.index;
      this.controls.buildTicks();
    }
    if (!manifest.whole) this.whole = false;
    if (!before || !same("panes") && current) this.setPanes(manifest.panes);
    const { laboratory } = manifest;
    if (laboratory && (!before || !same("laboratory") && current)) {
      this.laboratory.update(laboratory);
      this.setMode(laboratory.mode);
    }
    this.forget();
    this.lookAt(this.host.recalled?.());
    this.changed(false);
    if (before && JSON.stringify(this.state) !== shown) this.element.scrollIntoView({ block: "start" });
  }
  /** Zoom, place, divider and active pane: what a visit that comes back finds as it was. */
  get where() {
    const { zoom: zoom2, x, y } = this.view;
    return { zoom: zoom2, x, y, wipe: this.wipe, active: this.panes.indexOf(this.active) };
  }
  /** Someone looks elsewhere: kept at once, for who leaves the page may do so before it is drawn. */
  looked() {
    this.host.keep?.(this.where, true);
    this.schedule();
  }
  lookAt(where) {
    if (!where) return;
    const { zoom: zoom2, x, y, wipe: wipe2, active } = where;
    Object.assign(this.view, { zoom: zoom2, x, y });
    this.wipe = wipe2;
    this.active = this.panes[active] ?? this.active;
  }
  /** Only the ladders of this picture stay; of the whole one and its part only those on show. */
  forget() {
    const { codecs, whole } = this.manifest;
    const plain = codecs.map((c) => c.ladder);
    const refined = this.refinements.keep(new Set(plain));
    this.brush.forget();
    this.frames.forgetAllBut(
      new Set(this.whole ? [...Object.values(whole.ladders), ...refined] : [...plain, ...refined])
    );
  }
  // what panes ask of the viewer
  /** What the panes show: the manifest's picture, or the whole one that it is a part of. */
  get picture() {
    return this.whole ? this.manifest.whole : this.manifest;
  }
  ladderOf(codec) {
    return this.frames.ladder(this.whole ? this.manifest.whole.ladders[codec.id] : codec.ladder);
  }
  get original() {
    return this.ladderOf(this.manifest.codecs.find((c) => c.axis === "none"));
  }
  originalBitmap() {
    return this.original.get(this.original.frames[0], "picture");
  }
  lmbdaAt(index) {
    const { low, steps } = this.manifest.rate;
    return low * 2 ** (index / steps);
  }
  trainedMarks() {
    return this.manifest.rate.trained.map((v) => [
      Math.round(this.manifest.rate.steps * Math.log2(v / this.manifest.rate.low)),
      v
    ]);
  }
  isTrained(index, codec) {
    return (codec?.trained ?? this.manifest.rate.trained).some((v) => Math.abs(this.lmbdaAt(index) / v - 1) < 1e-9);
  }
  /** The frame that others are matched to: of the first pane that follows λ. */
  reference(asking) {
    const reference = this.panes.find((p) => p !== asking && p.follow === "shared") ?? this.panes.find((p) => p !== asking && p.follow === "own");
    if (reference) return reference.frame;
    const codec = this.manifest.codecs.find((c) => c.axis === "lmbda");
    return codec && this.ladderOf(codec).nearest(this.index);
  }
  /** The panes that are brought to the first one that follows λ. */
  get others() {
    const first = this.panes.find((p) => p.codec.axis === "lmbda") ?? null;
    return this.panes.filter((p) => first && p !== first && p.codec.axis !== "none");
  }
  /** What all others are held at, "bytes" or "psnr_db"; null where they are not. */
  get matched() {
    const [kind, ...more] = new Set(this.others.map((p) => p.follow));
    return !more.length && ["bytes", "psnr_db"].includes(kind) ? kind : null;
  }
  /** Hold the others at equal bytes or PSNR while λ moves; the same again lets them go. */
  setMatch(kind) {
    const on = this.matched !== kind;
    for (const pane of this.others) {
      const free = pane.codec.axis === "lmbda" ? { follow: null, own: null } : { follow: "own", own: pane.at ?? null };
      Object.assign(pane.state, on ? { follow: kind, own: null } : free);
    }
    this.changed();
  }
  get frameStep() {
    return this.manifest.rate.frame_step;
  }
  /** The rates of a ladder that panes want exactly, now that λ rests, and the sentence above them after those. */
  exact(ladder) {
    if (this.dragging || this.manifest.static) return [];
    return [.../* @__PURE__ */ new Set([...this.inPanes(ladder), ...this.laboratory?.awaited(ladder) ?? []])];
  }
  /** Those of them that panes want. */
  inPanes(ladder) {
    const panes = this.panes.filter((p) => p.plainLadder === ladder);
    return [...new Set(panes.flatMap((p) => [...p.exact, ...p.divisor]))];
  }
  // λ
  drag(index) {
    this.dragging = true;
    this.index = index;
    this.schedule();
  }
  /** λ from a key or a tick: settles by itself. */
  step(index) {
    this.drag(Math.min(this.manifest.rate.last, Math.max(0, Math.round(index))));
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.release(), SETTLE_MS2);
  }
  release() {
    clearTimeout(this.settle);
    this.dragging = false;
    this.changed();
  }
  /** Something was chosen: draw it, fetch what it needs, tell the host. */
  changed(report = true) {
    for (const ladder of new Set(this.panes.map((p) => p.plainLadder)))
      if (ladder.info && this.frames.lacks(ladder)) this.frames.poll(ladder);
    this.schedule();
    const state = this.state;
    const text = JSON.stringify(state);
    if (report && text !== this.reported) {
      this.serial = Math.max(Date.now(), this.serial + 1);
      this.host.report?.({ ...state, serial: this.serial });
    }
    if (report || !this.dragging) this.reported = text;
  }
  get state() {
    const panes = this.panes.map((p) => ({ ...p.state, channel: ["y", "ratio"].includes(p.layer) ? p.channel : null }));
    const laboratory = this.laboratory ? { mode: this.mode, panels: this.laboratory.kinds } : {};
    return { index: this.index, lmbda: this.lmbdaAt(this.index), panes, ...laboratory };
  }
  set(values) {
    Object.assign(this, values);
    this.schedule();
  }
  /** λ to a model's frame; a pane that has a rate of its own, or a classical codec, takes it alone. */
  goTo(codec, frame) {
    const panes = this.panes.filter((p) => p.plain.id === codec.id);
    if (panes.some((p) => p.follow === "shared")) return this.step(frame.at);
    for (const pane of panes) Object.assign(pane.state, { follow: "own", own: frame.at });
    this.changed();
  }
  // panes and modes
  /** Panes as they are told: those that are there take new states, so that focus and choosers stay. */
  setPanes(states) {
    states = states.slice(0, panes_default.most);
    this.resizePanes(states.length, (i) => states[i]);
    for (const [i, pane] of this.panes.entries()) pane.assume(states[i]);
    this.active = this.panes.find((p) => p.codec.axis === "lmbda") ?? this.panes[0];
    if (this.panes.length < 2) this.setMode("side");
  }
  resizePanes(count, state) {
    while (this.panes.length > count) {
      this.removePane(this.panes.pop());
    }
    while (this.panes.length < count) {
      this.panes.push(this.newPane(state(this.panes.length)));
      this.controls.grid.append(this.panes.at(-1).element);
    }
  }
  newPane(state) {
    const pane = new Pane(this, state);
    this.sizes.observe(pane.canvas);
    listenStage(this, pane.stage, pane.canvas);
    return pane;
  }
  removePane(pane) {
    this.sizes.unobserve(pane.canvas);
    pane.element.remove();
  }
  /** One pane and another beside it, alone, under the wipe. */
  besides(pane, state) {
    const other = this.panes.find((p) => p !== pane) ?? this.newPane(state);
    for (const one of this.panes) if (one !== pane && one !== other) this.removePane(one);
    this.panes = [pane, other];
    this.controls.grid.append(...this.panes.map((p) => p.element));
    other.assume(state);
    this.active = pane;
    this.setMode("wipe");
    this.changed();
  }
  /** The first two change places. */
  swapSides() {
    const [a, b] = this.pair;
    if (a === b) return;
    const [i, j] = [this.panes.indexOf(a), this.panes.indexOf(b)];
    [this.panes[i], this.panes[j]] = [b, a];
    this.controls.grid.append(...this.panes.map((p) => p.element));
    this.changed();
  }
  setCount(count) {
    if (count < 1 || count > panes_default.most) return;
    const { codecs } = this.manifest;
    this.resizePanes(count, () => ({
      codec: (codecs.find((c) => !this.panes.some((p) => p.plain === c)) ?? codecs[0]).id
    }));
    if (!this.panes.includes(this.active)) this.active = this.panes[0];
    if (count !== 2) this.setMode("side");
    this.changed();
  }
  /** The whole of a large picture, or the part that λ is scrubbed in; what was in the middle stays there. */
  setWhole(on) {
    const from = this.picture;
    this.whole = on;
    this.view.move(from, this.picture, this.manifest.part);
    this.forget();
    this.changed(false);
  }
  activate(pane) {
    if (this.active === pane) return;
    this.beside = this.active;
    this.active = pane;
    this.looked();
  }
  /** The pane on whose side of a shared stage a point lies. */
  activateAt(x) {
    const [a, b] = this.pair;
    this.activate(x < this.wipe * this.sharedCanvas.width ? a : b);
  }
  /** The two panes that wipe and blink compare: the active one against the first, or the first two. */
  get pair() {
    const [first, second = first] = this.panes;
    const other = this.active === first ? this.beside : this.active;
    return [first, other !== first && this.panes.includes(other) ? other : second];
  }
  setMode(mode2) {
    if (mode2 !== "side" && this.panes.length < 2) return;
    const focused = this.element.getRootNode().activeElement;
    const onStage = focused?.classList.contains("stage") || focused === this.handle;
    this.mode = mode2;
    if (onStage) {
      this.controls.shared.hidden = mode2 === "side";
      this.element.dataset.mode = mode2;
      (mode2 === "side" ? this.active.stage : this.sharedStage).focus();
    }
    clearInterval(this.blinking);
    this.flipped = false;
    if (mode2 === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.blinking = setInterval(() => this.element.isConnected && this.flip(false), BLINK_MS);
    this.schedule();
  }
  /** A mode chosen by a key; the same again goes back to the one before. */
  turnMode(mode2) {
    const [now, before] = [this.mode, this.modeBefore ?? "side"];
    this.chooseMode(now === mode2 ? before : mode2);
    this.modeBefore = now;
  }
  chooseMode(mode2) {
    this.modeBefore = this.mode;
    this.setMode(mode2);
    this.changed();
  }
  flip(byHand = true) {
    if (byHand) clearInterval(this.blinking);
    this.flipped = !this.flipped;
    this.schedule();
  }
  moveWipe(share) {
    this.wipe = Math.min(1, Math.max(0, share));
    this.looked();
  }
  showOriginal(on) {
    if (this.originalShown === on) return;
    this.originalShown = on;
    this.schedule();
  }
  nextChannel(step) {
    const pane = this.active;
    const ranked = pane.ladder.info?.kept ?? pane.frame?.rank;
    if (!ranked || !["y", "ratio"].includes(pane.layer)) return;
    const i = ranked.indexOf(pane.channel);
    pane.choose({ channel: ranked[(i + step + ranked.length) % ranked.length] });
  }
  /** The canvas that keys move and zoom in. */
  get leading() {
    return this.mode === "side" ? this.active.canvas : this.sharedCanvas;
  }
  /** The cursor is at point `here` of a canvas, or has left. */
  point(canvas, here) {
    this.cursor = canvas ? this.view.pixelAt(canvas, ...here) : null;
    this.schedule();
  }
  resize(entries) {
    for (const entry of entries) {
      if (entry.target.tagName !== "CANVAS") continue;
      const box = entry.devicePixelContentBoxSize?.[0];
      const ratio = globalThis.devicePixelRatio || 1;
      const width = box ? box.inlineSize : Math.round(entry.contentRect.width * ratio);
      const height = box ? box.blockSize : Math.round(entry.contentRect.height * ratio);
      if (width && height && (entry.target.width !== width || entry.target.height !== height))
        [entry.target.width, entry.target.height] = [width, height];
    }
    this.draw();
  }
  // drawing
  schedule() {
    if (this.scheduled || this.closed) return;
    this.element.dataset.busy = "true";
    this.scheduled = requestAnimationFrame(() => this.draw());
  }
  draw() {
    cancelAnimationFrame(this.scheduled);
    this.scheduled = null;
    if (this.closed || !this.manifest) return;
    const wants = [];
    this.channel ??= this.panes.map((p) => p.ladder.nearest(this.index)?.rank?.[0]).find((c) => c !== void 0) ?? null;
    const order = [...this.panes].sort((a, b) => a.matches - b.matches);
    for (const pane of order) wants.push(...pane.resolve());
    for (const pane of order) pane.prepare();
    if (this.laboratory) wants.push(...this.laboratory.resolve());
    if (!this.whole) wants.push({ ladder: this.original, kind: "picture", at: 0 });
    this.frames.want(wants);
    for (const pane of this.panes) if (pane.matches) this.frames.follow(pane.plainLadder);
    if (!this.dragging || !this.background) this.background = getComputedStyle(this.panes[0].stage).backgroundColor;
    if (this.mode === "side") for (const pane of this.panes) paintPane(this, pane);
    else paintShared(this);
    this.describe();
    if (!this.dragging) this.host.keep?.(this.where);
    this.drawn?.();
  }
  shownIn(pane) {
    const bitmap = this.originalShown && this.originalBitmap();
    return bitmap ? { kind: "picture", bitmap } : pane.shown;
  }
  describe() {
    for (const pane of this.panes) {
      pane.describe();
      pane.element.toggleAttribute("data-active", pane === this.active && this.panes.length > 1);
    }
    this.controls.describe();
    this.refinements.trim();
    this.laboratory?.bench.describe();
    if (this.cursor && this.mode === "side")
      for (const pane of this.panes) setText(pane.readout, pane.value(...this.cursor, pixelOf));
    const { sharedReadout } = this.controls;
    sharedReadout.hidden = !this.cursor || this.mode === "side";
    if (!sharedReadout.hidden)
      setText(
        sharedReadout,
        this.pair.map((p) => `${p.codec.short} ${p.value(...this.cursor, pixelOf)}`).join("  |  ")
      );
  }
  get fileName() {
    const name2 = `${this.manifest.title}-lambda-${lambdaText(this.lmbdaAt(this.index))}`;
    return name2.replace(/[^\p{L}\p{N}.-]+/gu, "-");
  }
  /** The view as it stands: every pane with its title and its numbers. */
  savePng() {
    this.draw();
    const { color: text, fontFamily: font } = getComputedStyle(this.element);
    const background = getComputedStyle(this.controls.help).backgroundColor;
    const said = (panes, name2, between) => panes.map((pane) => pane[name2]).join(between);
    const tile = (canvas, panes) => ({
      canvas,
      title: said(panes, "title", " | "),
      numbers: said(panes, "summary", "   |   ")
    });
    const side = this.mode === "side";
    const tiles = side ? this.panes.map((pane) => tile(pane.canvas, [pane])) : [tile(this.sharedCanvas, this.pair)];
    savePng(tiles, { background, text, font }, this.fileName);
  }
  saveCsv() {
    const further = this.manifest.further.map(({ name: name2 }) => name2);
    const plain = this.panes.map(({ plain: codec, plainLadder: ladder, refined: refined2, frame }) => ({
      codec,
      ladder,
      frame: refined2 ? null : frame
    }));
    const refined = this.panes.filter((p) => p.refined).map(({ codec, frame }) => ({ codec, ladder: { frames: [frame] }, frame }));
    saveCsv(csv(this.manifest.title, [...plain, ...refined], further), this.fileName);
  }
  close() {
    this.closed = true;
    clearInterval(this.blinking);
    clearTimeout(this.settle);
    this.hands?.abort();
    this.sizes.disconnect();
    this.refinements.close();
    this.frames.close();
    this.laboratory?.remove();
    this.element?.remove();
  }
};
var viewers = /* @__PURE__ */ new WeakMap();
function mount(root, manifest, host) {
  const there = viewers.get(root);
  const viewer = there && !there.closed ? there : new Viewer(root, host);
  viewers.set(root, viewer);
  viewer.host = viewer.frames.host = host;
  viewer.update(manifest);
  return viewer;
}

// mae_viz/viewer/js/notebook.js
var PATIENCE_MS = 4e3;
var notebook_default = {
  render({ model, el }) {
    const waiting = /* @__PURE__ */ new Map();
    let last = 0;
    const ask = (question) => new Promise((resolve) => {
      const id = ++last;
      const asked = { resolve };
      const send = (patience) => {
        asked.timer = setTimeout(send, patience, 2 * patience);
        model.send({ id, ...question });
      };
      waiting.set(id, asked);
      send(PATIENCE_MS);
    });
    const onMessage = (message, buffers) => {
      const asked = waiting.get(message.id);
      clearTimeout(asked?.timer);
      waiting.delete(message.id);
      asked?.resolve([message, buffers]);
    };
    const host = {
      async ladder(id, at) {
        const [{ listing }] = await ask({ ladder: id, at });
        if (!listing) throw new Error("the kernel does not know this picture: run the cell again");
        return listing;
      },
      async bytes(id, file, parts2 = null) {
        const [, [view]] = await ask({ ladder: id, file, parts: parts2 });
        return new Blob([view]);
      },
      report(state) {
        model.set("view", state);
        model.save_changes();
      }
    };
    model.on("msg:custom", onMessage);
    const viewer = mount(el, model.get("manifest"), host);
    const onManifest = () => viewer.update(model.get("manifest"));
    model.on("change:manifest", onManifest);
    return () => {
      model.off("msg:custom", onMessage);
      model.off("change:manifest", onManifest);
      for (const { timer } of waiting.values()) clearTimeout(timer);
      viewer.close();
    };
  }
};
export {
  notebook_default as default,
  mount
};
