// Hands: keys, mouse, touch. Keys act while the focus is inside the viewer, and in the laboratory, which is the page,
// also where nothing has it; those it takes go no further.
import { h } from "./dom.js";
import { percent } from "./numbers.js";
import { STEPS } from "./view.js";

const HELP = [
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
  ["?", "this list"],
];

export function keyList() {
  const rows = HELP.map(([keys, text]) =>
    h("div", {}, h("dt", {}, ...keys.split(" ").map((k) => h("kbd", { text: k }))), h("dd", { text })),
  );
  return h("dl", { class: "keys", hidden: true }, ...rows);
}

/** All listeners of a viewer, on its own elements, which go when it goes, and on the page until `signal`. */
export function listen(viewer, signal) {
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

/** Who takes a key first: the slider of λ, the handle of the wipe, a stage; then every part of the viewer. */
function onKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  const { key } = event;
  if (/^(SELECT|TEXTAREA)$/.test(target.tagName) || (target.tagName === "INPUT" && target !== viewer.slider)) return;
  const own = target === viewer.slider ? SLIDER : target.getAttribute?.("role") === "slider" ? HANDLE : {};
  const stage = target.classList.contains("stage") ? STAGE : {};
  const action = own[key] ?? KEYS[key] ?? KEYS[key.toLowerCase()] ?? stage[key];
  if (!action || action(viewer, event, target) === false) return;
  event.preventDefault();
  event.stopPropagation();
}

const turn =
  (direction) =>
  (viewer, { shiftKey }) =>
    viewer.step(viewer.index + direction * (shiftKey ? 1 : viewer.frameStep));
const jump = (steps) => (viewer) => viewer.step(viewer.index + steps);
const wipe = (share) => (viewer) => viewer.moveWipe(viewer.wipe + share);
const move =
  (dx, dy) =>
  ({ view, leading: { width, height } }) =>
    view.pan(-dx * 0.1 * width, -dy * 0.1 * height);
const zoom =
  (direction) =>
  ({ view }) =>
    view.zoomBy(direction);
const mode = (name) => (viewer) => viewer.turnMode(name);
const [lower, higher] = [turn(-1), turn(1)];

const SLIDER = {
  ArrowLeft: lower,
  ArrowDown: lower,
  ArrowRight: higher,
  ArrowUp: higher,
  PageDown: jump(-64),
  PageUp: jump(64),
  Home: (viewer) => viewer.step(0),
  End: (viewer) => viewer.step(viewer.manifest.rate.last),
};
const HANDLE = { ArrowLeft: wipe(-0.02), ArrowRight: wipe(0.02) };
const STAGE = { ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1) };
/** What keys do anywhere in the viewer; false: nothing, the key goes on to whoever wants it. */
const KEYS = {
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
    active.layerBefore = layer === "difference" ? undefined : layer;
    active.choose({ layer: layer === "difference" ? layerBefore : "difference" });
  },
  l: ({ active }) =>
    active.choose({ layer: active.layers[(active.layers.indexOf(active.layer) + 1) % active.layers.length] }),
  n: (viewer) => viewer.nextChannel(1),
  p: (viewer) => viewer.nextChannel(-1),
  "?": ({ controls }) => controls.toggleKeys(),
  Escape: ({ controls, laboratory, brush }) =>
    controls.toggleKeys(false) || Boolean(laboratory?.restore()) || brush.turn(false),
};

/** Mouse and touch on a stage: a drag moves, or paints where the brush is out; two fingers move and zoom, Ctrl + wheel
 *  zooms by steps. */
export function listenStage(viewer, stage, canvas) {
  const fingers = new Map();
  let pinch = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
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
      viewer.view.zoomAt(canvas, ...middle, (pinch.scale * apart(fingers)) / pinch.apart);
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
      // where the viewer fills its window a plain wheel zooms, but a whole picture lets it scroll on; else it scrolls
      const zooms = viewer.laboratory && (viewer.view.zoom || event.deltaY < 0);
      if (!event.ctrlKey && !zooms) return;
      event.preventDefault();
      viewer.wheel = (viewer.wheel ?? 0) + event.deltaY;
      if (Math.abs(viewer.wheel) < 40) return;
      viewer.view.zoomBy(viewer.wheel < 0 ? 1 : -1, canvas, at(event));
      viewer.wheel = 0;
    },
    { passive: false },
  );
}

/** Where a pointer was since the last event, between two drawing frames too. */
const all = (event) => {
  const found = event.getCoalescedEvents?.() ?? [];
  return found.length ? found : [event];
};

const apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
};
