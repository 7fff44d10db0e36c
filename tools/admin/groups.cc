// Under which words and headings the help of `tidemark admin` shows the acts.
#include <algorithm>

#include "tools/admin/acts.h"

namespace tidemark::admin {
namespace {

constexpr Group kGroups[] = {
    {"retention", "how long points are kept"},
    {"rollup", "rollup tiers"},
    {"types", "types of fields"},
    {"backup", "copies of everything, and a store made of one"},
    {"jobs", "long work: see it, follow it, let it wait, end it"},
    {"rename", "another name for what is there"},
    {"field", "fields and their types"},
    {"import", "points out of exports, and of other databases"},
    {"clock", "the time by which points grow old"},
    {"quota", "how much may be taken of a database"},
    {"token", "who may read, write and administer"},
    {"session", "who has signed in to the page"},
    {"audit", "who changed what, and who was refused"},
    {"certificate", "what a server shows to those who connect with TLS"},
};

constexpr Heading kHeadings[] = {
    {"See", "status databases partitions cardinality field rejections jobs usage"},
    {"What is kept", "retention rollup types clock"},
    {"Change what is there", "delete rename compact checkpoint"},
    {"Whole and safe", "verify repair backup"},
    {"Move in and out", "export import hash"},
    {"Who may what", "token session quota certificate audit"},
    {"The server", "reload restart restarts support"},
};

}  // namespace

std::span<const Heading> Headings() { return kHeadings; }

std::string_view HeadingOf(std::string_view word) {
  for (const Heading& heading : kHeadings) {
    std::string_view rest = heading.words;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(' '), rest.size());
      if (rest.substr(0, end) == word) return heading.name;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return kHeadings[0].name;
}

std::span<const Group> Groups() { return kGroups; }

}  // namespace tidemark::admin
