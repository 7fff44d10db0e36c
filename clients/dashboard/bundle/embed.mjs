// The built files as C++: each compressed, with its type and a tag that changes with its content.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };

// Bytes as a C++ literal. Octal escapes of three digits end by themselves, whatever follows.
function literal(bytes) {
  let out = "";
  let line = '"';
  for (const byte of bytes) {
    const c = String.fromCharCode(byte);
    line += byte >= 32 && byte < 127 && c !== '"' && c !== "\\" && c !== "?" ? c : `\\${byte.toString(8).padStart(3, "0")}`;
    if (line.length > 2000) {
      out += `${line}"\n`;
      line = '"';
    }
  }
  return `${out}${line}"`;
}

function filesOf(folder, below = "") {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesOf(folder, `${below}${entry.name}/`) : [`${below}${entry.name}`]))
    .sort();
}

// Text of a C++ file that defines DashboardFiles() of tools/server/dashboard/dashboard_files.h.
export function embed(folder) {
  const rows = filesOf(folder).map((name) => {
    const type = TYPES[name.split(".").pop()];
    if (type === undefined) throw new Error(`${name}: files of this kind have no type in embed.mjs`);
    const bytes = readFileSync(join(folder, name));
    const packed = gzipSync(bytes, { level: 9 });
    const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 20);
    return `    {${JSON.stringify(name)}, ${JSON.stringify(type)}, "\\"${tag}\\"",\n     std::string_view(\n${literal(packed)},\n     ${packed.length})},\n`;
  });
  return `// Made by clients/dashboard/bundle/embed.mjs.
#include "tools/server/dashboard/dashboard_files.h"

namespace tidemark::server {
namespace {

constexpr DashboardFile kFiles[] = {
${rows.join("")}};

}  // namespace

std::span<const DashboardFile> DashboardFiles() { return kFiles; }

}  // namespace tidemark::server
`;
}
