// What plots share: SVG elements, and axes in octaves of λ.

let space; // read off an element, because a page that must stand alone names no address

/** An SVG element. */
export function drawing(tag, attributes = {}, ...children) {
  space ??= Object.assign(document.createElement("div"), { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const label = (x, y, anchor, words) => drawing("text", { x, y, "text-anchor": anchor }, words);

/** Points as SVG writes them. */
export const points = (spots) => spots.map((spot) => spot.map((v) => v.toFixed(1)).join()).join(" ");

/** A dot of a plot, moved to where it belongs; hidden without a place. */
export function moveDot(dot, spot, colour) {
  dot.style.display = spot ? "" : "none";
  if (!spot) return;
  dot.setAttribute("cx", spot[0]);
  dot.setAttribute("cy", spot[1]);
  dot.setAttribute("fill", colour);
}
