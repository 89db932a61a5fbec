// A link as a QR code, drawn as SVG.
import encode from "qrcode-generator";

const QUIET = 4; // modules of white around it

/** The code as an element. */
export function qr(text) {
  const code = encode(0, "M");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const side = count + 2 * QUIET;
  let path = "";
  for (let y = 0; y < count; y++)
    for (let x = 0; x < count; x++) if (code.isDark(y, x)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("class", "qr");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "QR code of the link");
  svg.innerHTML = `<rect width="${side}" height="${side}" fill="#fff"/><path d="${path}" fill="#000"/>`;
  return svg;
}
