
// anywidget: questions to Python and its answers, matched by number.
export default {
  render({ model, el }) {
    const waiting = new Map();
    let last = 0;
    const ask = (question) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        model.send({ id: last, ...question });
      });
    const onMessage = (message, buffers) => {
      waiting.get(message.id)?.([message, buffers]);
      waiting.delete(message.id);
    };
    const host = {
      async ladder(id, at) {
        const [{ listing }] = await ask({ ladder: id, at });
        if (!listing) throw new Error("the kernel does not know this picture: run the cell again");
        return listing;
      },
      async bytes(id, file, start = null, length = null) {
        const [, [view]] = await ask({ ladder: id, file, start, length });
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
      viewer.close();
    };
  },
};
