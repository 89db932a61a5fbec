// Elements of the page, and their text.

/** An element: tag, attributes (on… are listeners, text is what it says), children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Touches the page only where it says something else; a text that is there changes its words, and stays. */
export function setText(node, text) {
  const { firstChild } = node;
  if (firstChild instanceof Text && firstChild === node.lastChild) {
    if (firstChild.data !== text) firstChild.data = text;
  } else if (node.textContent !== text) node.textContent = text;
}

/** Lets a chooser offer these [value, text], and stand at one of them; one without any is hidden. */
export function fill(select, options, value) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([v, text]) => h("option", { value: v, text })));
  }
  if (select.value !== String(value)) select.value = String(value);
  select.hidden = select.parentElement.hidden = !options.length;
}

/** The same for a sentence, in which "MS-SSIM" stays on one line. */
export function setSentence(node, text) {
  if (node.textContent === text) return;
  const parts = text.split(/(MS-SSIM)/).filter(Boolean);
  node.replaceChildren(...parts.map((part) => (part === "MS-SSIM" ? h("span", { class: "whole", text: part }) : part)));
}
