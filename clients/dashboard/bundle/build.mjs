// Builds the page within the build tree and writes it as C++ source:
//
//   node bundle/build.mjs SOURCE_FOLDER WORK_FOLDER GOALS_FILE OUTPUT.cc [--with-tests]
//
// The sources are copied into WORK_FOLDER, so that nothing is written beside them and two build trees do not meet.
// Packages are installed there when package-lock.json has changed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { embed } from "./embed.mjs";

const [source, work, goals, output, ...flags] = process.argv.slice(2);
const withTests = flags.includes("--with-tests");
const COPIED = ["src", "bundle", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

function fail(what, error) {
  const said = [error.stdout, error.stderr].map((text) => text?.toString().trim()).filter(Boolean).join("\n");
  console.error(`The dashboard could not be built: ${what}\n${said || error.message}`);
  process.exit(1);
}

function run(what, program, args) {
  try {
    execFileSync(program, args, { cwd: work, env: { ...process.env, TIDEMARK_GOALS: resolve(goals) }, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    fail(what, error);
  }
}

mkdirSync(work, { recursive: true });
for (const name of COPIED) {
  rmSync(join(work, name), { recursive: true, force: true });
  cpSync(join(source, name), join(work, name), { recursive: true });
}
const lock = createHash("sha256").update(readFileSync(join(source, "package-lock.json"))).update(String(withTests)).digest("hex");
const stamp = join(work, "installed");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  rmSync(stamp, { force: true });
  // No script of a package is run; those of esbuild only check what is there.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...(withTests ? [] : ["--omit=dev"])];
  run("`npm ci` failed. It needs a package registry or a cache; everything after it works without a network.", "npm", args);
  writeFileSync(stamp, lock);
}
run("types do not fit.", process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "--project", withTests ? "tsconfig.json" : "bundle/tsconfig.page.json"]);
run("vite failed.", process.execPath, ["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"]);
try {
  writeFileSync(output, embed(join(work, "dist")));
} catch (error) {
  fail("its files could not be written as C++.", error);
}
