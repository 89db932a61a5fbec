// Hands: keys, mouse, touch. Keys act only while the focus is inside the viewer, and those it takes go no further.
import { h } from "./pane.js";
import { STEPS, place } from "./stage.js";

export const KEYS = [
  [", .", "one frame lower / higher λ (with Shift: 1/64 octave)"],
  ["0 1 2 4 8", "fit, 100 %, 200 %, 400 %, 800 %"],
  ["+ −", "zoom in, out"],
  ["arrows", "move the picture (on the slider: λ)"],
  ["S W B", "side by side, wipe, blink"],
  ["space", "blink by hand"],
  ["O", "hold: show the original"],
  ["D", "difference from the original, on and off"],
  ["L", "next layer"],
  ["N P", "next, previous channel by bits"],
  ["?", "this list"],
];

export function keyList() {
  const rows = KEYS.map(([keys, text]) => h("div", {}, h("dt", {}, ...keys.split(" ").map((k) => h("kbd", { text: k }))), h("dd", { text })));
  return h("dl", { class: "keys", hidden: true }, ...rows);
}

/** All listeners of a viewer, on its own elements: they go when it goes. */
export function listen(viewer) {
  const { element, slider } = viewer;
  element.addEventListener("keydown", (event) => onKey(viewer, event));
  element.addEventListener("keyup", (event) => {
    if (event.key === "o" || event.key === "O") viewer.showOriginal(false);
  });
  element.addEventListener("focusout", () => viewer.showOriginal(false));
  slider.addEventListener("input", () => viewer.drag(+slider.value));
  slider.addEventListener("change", () => viewer.release());
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (/^(SELECT|TEXTAREA)$/.test(target.tagName) || (target.tagName === "INPUT" && target !== viewer.slider)) return;
  const done = target === viewer.slider ? onSliderKey(viewer, event) : target.getAttribute?.("role") === "slider" ? onWipeKey(viewer, event) : false;
  if (done || onViewerKey(viewer, event, target)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function onSliderKey(viewer, { key, shiftKey }) {
  const step = shiftKey ? 1 : viewer.frameStep;
  const to = {
    ArrowLeft: viewer.index - step, ArrowDown: viewer.index - step, ArrowRight: viewer.index + step, ArrowUp: viewer.index + step,
    PageDown: viewer.index - 64, PageUp: viewer.index + 64, Home: 0, End: viewer.manifest.rate.last,
  }[key];
  if (to === undefined) return false;
  viewer.step(to);
  return true;
}

function onWipeKey(viewer, { key }) {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[key];
  if (!step) return false;
  viewer.moveWipe(viewer.wipe + step);
  return true;
}

function onViewerKey(viewer, event, target) {
  const { key, shiftKey } = event, on = viewer.active;
  const onButton = target.tagName === "BUTTON";
  switch (key) {
    case ",": case "<": viewer.step(viewer.index - (shiftKey ? 1 : viewer.frameStep)); return true;
    case ".": case ">": case ":": viewer.step(viewer.index + (shiftKey ? 1 : viewer.frameStep)); return true;
    case "0": viewer.view.zoomTo(0); return true;
    case "1": case "2": case "4": case "8": viewer.view.zoomTo(+key); return true;
    case "+": case "=": viewer.view.zoomBy(1); return true;
    case "-": case "−": viewer.view.zoomBy(-1); return true;
    case "?": viewer.controls.toggleKeys(); return true;
    case "Escape": return viewer.controls.toggleKeys(false);
    case " ": if (onButton || viewer.mode !== "blink") return false; viewer.flip(); return true;
  }
  switch (key.toLowerCase()) {
    case "s": viewer.setMode("side"); return true;
    case "w": viewer.setMode("wipe"); return true;
    case "b": viewer.setMode("blink"); return true;
    case "o": viewer.showOriginal(true); return true;
    case "d": if (on.layers.length > 1) on.choose({ layer: on.layer === "difference" ? "picture" : "difference" }); return true;
    case "l": on.choose({ layer: on.layers[(on.layers.indexOf(on.layer) + 1) % on.layers.length] }); return true;
    case "n": case "p": viewer.nextChannel(key.toLowerCase() === "n" ? 1 : -1); return true;
  }
  if (ARROWS[key] && target.classList.contains("stage")) {
    const [dx, dy] = ARROWS[key];
    viewer.view.pan(-dx * 0.1 * on.canvas.width, -dy * 0.1 * on.canvas.height);
    return true;
  }
  return false;
}

/** Mouse and touch on one stage: drag moves, two fingers zoom and snap to a step, Ctrl + wheel zooms, double click 100 %. */
export function listenStage(viewer, stage, canvas) {
  const fingers = new Map();
  let pinch = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.getAttribute("role") === "slider") return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    pinch = fingers.size === 2 ? { apart: apart(fingers), scale: place(viewer.view, viewer.picture, canvas).scale } : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const here = at(event), before = fingers.get(event.pointerId);
    if (!before) return viewer.point(stage, canvas, here);
    fingers.set(event.pointerId, here);
    if (pinch && fingers.size === 2) {
      const [a, b] = [...fingers.values()];
      viewer.view.zoomAt(canvas, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (pinch.scale * apart(fingers)) / pinch.apart);
    } else viewer.view.pan(here[0] - before[0], here[1] - before[1], canvas);
  });
  const up = (event) => {
    fingers.delete(event.pointerId);
    if (pinch && fingers.size < 2) {
      pinch = null;
      viewer.view.snap(canvas);
    }
  };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("pointerleave", () => viewer.point(null));
  stage.addEventListener("dblclick", (event) => viewer.view.zoomAt(canvas, ...at(event), viewer.view.zoom ? 0 : 1));
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    viewer.wheel = (viewer.wheel ?? 0) + event.deltaY;
    if (Math.abs(viewer.wheel) < 40) return;
    viewer.view.zoomBy(viewer.wheel < 0 ? 1 : -1, canvas, at(event));
    viewer.wheel = 0;
  }, { passive: false });
}

const apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
};

/** The zoom step after this scale in a direction; 0 is fit. */
export function nextStep(scale, fit, direction) {
  if (direction > 0) return STEPS.find((s) => s > scale + 1e-6) ?? STEPS.at(-1);
  const lower = STEPS.filter((s) => s < scale - 1e-6).at(-1);
  return lower && lower > fit ? lower : 0;
}
