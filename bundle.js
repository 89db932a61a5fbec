// Joins modules into the files that Python hands out: make bundle. With an argument: into that folder.
import { buildSync } from "esbuild";

const { dirname } = import.meta;
const BUNDLES = [
  { entry: "viewer/js/index.js", file: "viewer/viewer.bundle.js" },
  { entry: "browser/js/site.js", file: "browser/site.bundle.js", minify: true },
  { entry: "browser/js/worker.js", file: "browser/worker.bundle.js", minify: true },
];

for (const { entry, file, minify = false } of BUNDLES)
  buildSync({
    entryPoints: [`mae_viz/${entry}`],
    absWorkingDir: dirname,
    outfile: `${process.argv[2] ?? "mae_viz"}/${file}`,
    bundle: true,
    format: "esm",
    charset: "utf8",
    minifyWhitespace: minify,
    banner: { js: "// Made by bundle.js from the modules beside it: change those, then type make bundle." },
  });
