import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { goalsModule } from "./bundle/goals_module";

// The goals file stands outside of this folder. The build tree has a copy of the folder, so CMake says where it is.
const goalsFile = process.env.TIDEMARK_GOALS ?? fileURLToPath(new URL("../../tools/demo/goals.yaml", import.meta.url));

// The page is at .../dashboard, without a slash behind it, and may be below /db/NAME or the path of a proxy: its assets
// are named relative to that.
function relativeToThePage(): Plugin {
  return {
    name: "relative-to-the-page",
    enforce: "post",
    transformIndexHtml: (html) => html.replaceAll('"./assets/', '"dashboard/assets/').replaceAll(" crossorigin", ""),
  };
}

export default defineConfig({
  base: "./",
  plugins: [goalsModule(() => readFileSync(goalsFile, "utf8")), relativeToThePage()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8086", "/-/": "http://127.0.0.1:8086" } },
  test: { include: ["src/**/*.test.ts", "bundle/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
