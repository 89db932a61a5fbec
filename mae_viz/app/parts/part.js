// A preview with a frame on it, which a finger, a mouse or the arrow keys move; reported when it is let go.
const SETTLE_MS = 400; // after the last key

export default function ({ parentElement, data, setStateValue }) {
  let preview = parentElement.querySelector(".preview");
  if (!preview) {
    preview = document.createElement("div");
    preview.className = "preview";
    preview.innerHTML = '<img alt="" draggable="false"><div class="frame" role="application" tabindex="0"></div>';
    parentElement.append(preview);
    listen(preview);
  }
  const [image, frame] = preview.children;
  if (image.src !== data.source) image.src = data.source;
  frame.setAttribute("aria-label", `${data.label}: arrow keys move it`);
  frame.style.width = `${(100 * data.part[0]) / data.whole[0]}%`;
  frame.style.height = `${(100 * data.part[1]) / data.whole[1]}%`;
  Object.assign(preview, { data, report: (at) => setStateValue("at", at) });
  if (!preview.held) place(preview, ...data.at);
}

function place(preview, left, top) {
  const { whole, part } = preview.data;
  const at = [left, top].map((v, i) => Math.min(Math.max(0, v), whole[i] - part[i]));
  const [, frame] = preview.children;
  frame.style.left = `${(100 * at[0]) / whole[0]}%`;
  frame.style.top = `${(100 * at[1]) / whole[1]}%`;
  preview.at = at;
}

function listen(preview) {
  const move = (event) => {
    const box = preview.getBoundingClientRect();
    const scale = preview.data.whole[0] / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    place(preview, x - preview.held[0], y - preview.held[1]);
  };
  preview.addEventListener("pointerdown", (event) => {
    const { part } = preview.data;
    const box = preview.children[1].getBoundingClientRect();
    const scale = part[0] / box.width;
    const inside = event.target === preview.children[1];
    // beside the frame: it comes with its middle to the finger
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    preview.held = inside ? [x, y] : [part[0] / 2, part[1] / 2];
    preview.setPointerCapture(event.pointerId);
    move(event);
  });
  preview.addEventListener("pointermove", (event) => preview.held && move(event));
  for (const name of ["pointerup", "pointercancel"])
    preview.addEventListener(name, () => {
      if (!preview.held) return;
      preview.held = null;
      preview.report(preview.at);
    });
  preview.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const step = preview.data.step * (event.shiftKey ? 1 : 4);
    place(preview, preview.at[0] + by[0] * step, preview.at[1] + by[1] * step);
    clearTimeout(preview.settle);
    preview.settle = setTimeout(() => preview.report(preview.at), SETTLE_MS);
  });
}
