// Joins modules into the files that Python hands out: make bundle. With an argument: into that folder.
import { basename, join } from "node:path";
import { buildSync } from "esbuild";

const BUNDLES = {
  "mae_viz/viewer/viewer.bundle.js": "mae_viz/viewer/js/index.js",
  "mae_viz/browser/site.bundle.js": "mae_viz/browser/js/site.js",
  "mae_viz/browser/worker.bundle.js": "mae_viz/browser/js/worker.js",
};

for (const [bundle, entry] of Object.entries(BUNDLES)) {
  const folder = entry.slice(0, entry.lastIndexOf("/"));
  buildSync({
    entryPoints: [entry],
    absWorkingDir: import.meta.dirname,
    outfile: process.argv[2] ? join(process.argv[2], basename(bundle)) : bundle,
    bundle: true,
    external: ["./viewer.bundle.js"], // which the page has beside it
    format: "esm",
    charset: "utf8",
    banner: { js: `// Made from ${folder} by bundle.js: change those files, then type make bundle.` },
  });
}
