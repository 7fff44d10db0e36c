// Acts: what an operator can have done, one row each. The server makes its routes under /api/v1/admin out of the rows,
// `tidemark admin` its commands, their flags and their help; completion and a man page can be made of them too. No code
// of either is here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tidemark::admin {

// A flag of the command, which becomes a parameter of the request.
struct Parameter {
  enum class Kind : uint8_t {
    kText,
    kList,    // may be given several times; each becomes a parameter
    kCount,   // a whole number, `initial` when it is not given
    kTime,    // unix seconds, RFC 3339, -2d: sent as unix seconds
    kSwitch,  // on or off; sent as 1
  };
  std::string_view flag;       // "--match"; without dashes: by its place on the command line
  std::string_view parameter;  // of the request: "match[]"
  Kind kind = Kind::kText;
  bool required = false;
  std::string_view help;
  uint64_t initial = 0;
};

enum class Method : uint8_t {
  kNone,  // not of a server: the command does it by itself, in a data directory whose server has stopped
  kGet,
  kPost,
  kPostOrPut,
};

// What a client must have the right to do.
enum class Right : uint8_t { kRead, kAdmin };

enum class Reply : uint8_t {
  kNone,      // 204; or lines for people, of what no server does
  kObject,    // {"status":"success","data":{...}} with at least the keys of `keys`
  kList,      // {"status":"success","data":[{...}]} with at least these keys in each
  kProgress,  // an object a line while it works, with these keys; the last has "done":true or "error"
};

struct Act {
  std::string_view name;  // the words of the command: "retention set"
  bool has_command;       // or a route only, for others' clients
  Method method;
  std::string_view path;  // of the route
  Right right;
  Reply reply;
  std::string_view keys;  // of the reply's JSON, separated by spaces
  std::string_view help;  // of the command
  std::span<const Parameter> parameters;
  // Whether the right is to the database that the request names; else to all of them.
  bool of_database = false;
  // Whether the body is data, as large as that of a write, in place of a form.
  bool takes_data = false;
  // Of one without a route: whether the command asks a server all the same, by routes of others, unless it is given a
  // data directory with --data.
  bool asks_server = false;
};

// In the order of the help.
std::span<const Act> Acts();

// The first word of commands of two: "retention", and its help.
struct Group {
  std::string_view name;
  std::string_view help;
};
std::span<const Group> Groups();

// What of `tidemark admin --help` stands together, in this order: commands by their first word.
struct Heading {
  std::string_view name;
  std::string_view words;  // separated by spaces
};
std::span<const Heading> Headings();
// The name of the heading of a command of this first word. Each has one.
std::string_view HeadingOf(std::string_view word);

}  // namespace tidemark::admin
