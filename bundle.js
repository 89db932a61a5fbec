// Joins the viewer's modules into the one file that Python hands out: make bundle. With an argument: into that file.
import { buildSync } from "esbuild";

buildSync({
  entryPoints: ["mae_viz/viewer/js/index.js"],
  absWorkingDir: import.meta.dirname,
  outfile: process.argv[2] ?? "mae_viz/viewer/viewer.bundle.js",
  bundle: true,
  format: "esm",
  charset: "utf8",
  banner: { js: "// Made from mae_viz/viewer/js by bundle.js: change those files, then type make bundle." },
});
