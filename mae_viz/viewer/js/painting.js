// The canvases: each pane's own, or the one that two panes share when they are wiped or blinked.
import { paint } from "./stage.js";

export function paintPane(viewer, pane) {
  const { canvas } = pane;
  const spot = viewer.view.place(canvas);
  paint(pane.context, spot, viewer.picture, viewer.shownIn(pane), viewer);
  viewer.brush.paint(pane.context, spot);
  placeCross(viewer, pane, spot);
}

/** The frame around the pixel under the cursor, in every pane. */
function placeCross({ cursor, mode }, { cross, readout, canvas }, spot) {
  cross.hidden = readout.hidden = !cursor || mode !== "side";
  if (cross.hidden) return;
  const ratio = canvas.width / canvas.clientWidth;
  const size = Math.max(spot.scale, 5) / ratio;
  const [x, y] = [spot.left, spot.top].map((offset, i) => (offset + (cursor[i] + 0.5) * spot.scale) / ratio - size / 2);
  cross.style.cssText = `width:${size}px;height:${size}px;transform:translate(${x}px,${y}px)`;
}

export function paintShared(viewer) {
  const {
    sharedContext: context,
    sharedCanvas: canvas,
    picture,
    pair: [a, b],
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
    [b, cut, width],
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
