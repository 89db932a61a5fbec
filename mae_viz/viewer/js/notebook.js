// anywidget: questions to Python and its answers, matched by number. What is asked while a notebook connects to its
// kernel can be lost without a word, so a question is repeated until it is answered, each time after twice as long.
import { mount } from "./viewer.js";

const PATIENCE_MS = 4000;

export default {
  render({ model, el }) {
    const waiting = new Map(); // number → what to do with the answer, and the timer of the next try
    let last = 0;
    const ask = (question) =>
      new Promise((resolve) => {
        const id = ++last;
        const asked = { resolve };
        const send = (patience) => {
          asked.timer = setTimeout(send, patience, 2 * patience);
          model.send({ id, ...question });
        };
        waiting.set(id, asked);
        send(PATIENCE_MS);
      });
    const onMessage = (message, buffers) => {
      const asked = waiting.get(message.id); // none where an answer comes twice
      clearTimeout(asked?.timer);
      waiting.delete(message.id);
      asked?.resolve([message, buffers]);
    };
    const host = {
      async ladder(id, at) {
        const [{ listing }] = await ask({ ladder: id, at });
        if (!listing) throw new Error("the kernel does not know this picture: run the cell again");
        return listing;
      },
      async bytes(id, file, parts = null) {
        const [, [view]] = await ask({ ladder: id, file, parts });
        return new Blob([view]);
      },
      report(state) {
        model.set("view", state);
        model.save_changes();
      },
    };
    model.on("msg:custom", onMessage);
    const viewer = mount(el, model.get("manifest"), host);
    const onManifest = () => viewer.update(model.get("manifest"));
    model.on("change:manifest", onManifest);
    return () => {
      model.off("msg:custom", onMessage);
      model.off("change:manifest", onManifest);
      for (const { timer } of waiting.values()) clearTimeout(timer);
      viewer.close();
    };
  },
};
