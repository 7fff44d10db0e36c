// `lp_dry_run write --dry-run --json`: the dry run of `tidemark write` without the rest of the command, so that the
// conformance cases need nothing but the parser.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "tools/cli/dry_run/write_dry_run.h"

int main(int argc, char** argv) {
  using namespace tidemark;
  CLI::App app("parses line protocol from standard input");
  CLI::App* write = app.add_subcommand("write", "parse and print")->required();
  cli::DryRunOptions options;
  std::string precision;
  bool dry_run = false;
  write->add_flag("--dry-run", dry_run, "the only thing that this program does")->required();
  write->add_flag("--json", options.json, "one JSON object per line");
  write->add_option("--precision", precision, "unit of the timestamps");
  write->add_option("--default-time", options.default_time.ns, "time of lines without one, in nanoseconds");
  CLI11_PARSE(app, argc, argv);
  const Result<lineprotocol::Precision> unit = lineprotocol::ParsePrecision(precision);
  if (!unit.ok()) {
    std::cerr << unit.error().message << '\n';
    return 2;
  }
  options.precision = *unit;
  return cli::WriteDryRun(std::cin, options, std::cout);
}
