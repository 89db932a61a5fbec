// What the bundle exports: `mount` for every host, and by default what anywidget runs in a notebook.
export { default } from "./notebook.js";
export { mount } from "./viewer.js";
