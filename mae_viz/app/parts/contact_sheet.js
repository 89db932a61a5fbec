// A sheet of small maps, one button each. Streamlit runs this at every change of data; the buttons stay.
export default function ({ parentElement, data, setTriggerValue }) {
  let sheet = parentElement.querySelector(".sheet");
  if (!sheet) {
    sheet = document.createElement("div");
    sheet.className = "sheet";
    sheet.setAttribute("role", "group");
    sheet.append(...data.order.map(button));
    sheet.addEventListener("keydown", move);
    parentElement.append(sheet);
  }
  sheet.setAttribute("aria-label", data.title);
  const [height, width] = data.shape;
  data.order.forEach((channel, i) => {
    const tile = sheet.children[i];
    const map = tile.querySelector(".map span");
    const column = channel % data.columns;
    const row = Math.floor(channel / data.columns);
    const across = data.columns > 1 ? column / (data.columns - 1) : 0;
    const down = data.rows > 1 ? row / (data.rows - 1) : 0;
    map.parentElement.style.aspectRatio = `${width} / ${height}`;
    map.parentElement.style.background = data.masked;
    map.style.backgroundImage = `url("${data.sprite}")`;
    map.style.backgroundSize = `${100 * data.columns}% ${100 * data.rows}%`;
    map.style.backgroundPosition = `${100 * across}% ${100 * down}%`;
    tile.lastChild.textContent = channel;
    tile.title = data.labels[channel];
    tile.dataset.channel = channel;
    tile.setAttribute("aria-label", data.labels[channel]);
    tile.setAttribute("aria-pressed", channel === data.chosen);
    tile.tabIndex = channel === data.chosen ? 0 : -1; // one stop for the Tab key, arrows within
    tile.toggleAttribute("data-off", data.off.includes(channel));
    tile.onclick = () => {
      setTriggerValue("chosen", channel);
      document.querySelector(".st-key-figure")?.scrollIntoView(); // where the chosen channel stands large
    };
  });
}

function button() {
  const tile = document.createElement("button");
  tile.type = "button";
  tile.innerHTML = '<span class="map"><span></span></span><span></span>';
  return tile;
}

function move(event) {
  const tiles = [...this.children];
  const at = tiles.indexOf(event.target.closest("button"));
  const across = getComputedStyle(this).gridTemplateColumns.split(" ").length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
  const next = event.key === "Home" ? 0 : event.key === "End" ? tiles.length - 1 : at + step;
  if (!tiles[next]) return;
  event.preventDefault();
  tiles[at].tabIndex = -1;
  tiles[next].tabIndex = 0;
  tiles[next].focus();
}
