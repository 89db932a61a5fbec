// Brings a heading of the page to the top of the window, and holds it there while what stands above it still grows,
// until a hand takes over. What was landed on once is left alone, until the address leads somewhere else.

export default function ({ data: { anchor } }) {
  globalThis.maeVizLanding ??= {}; // one for the page, however often this file is run
  const memory = globalThis.maeVizLanding;
  if (memory.anchor === anchor) return;
  const before = memory.anchor;
  memory.anchor = anchor;
  memory.stop?.();
  const page = document.querySelector('[data-testid="stMain"]');
  if (!anchor) {
    if (before) page.scrollTo({ top: 0 });
    return;
  }
  const land = () => document.getElementById(anchor)?.scrollIntoView({ block: "start" });
  const growing = new ResizeObserver(land);
  growing.observe(document.querySelector('[data-testid="stMainBlockContainer"]'));
  const hands = new AbortController();
  memory.stop = () => {
    growing.disconnect();
    hands.abort();
  };
  for (const hand of ["wheel", "touchstart", "pointerdown", "keydown"])
    addEventListener(hand, memory.stop, { capture: true, passive: true, signal: hands.signal });
  land();
}
