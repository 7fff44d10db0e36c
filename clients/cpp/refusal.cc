#include "clients/cpp/refusal.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tidemark::client {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxTextBytes = 2000;

// Reads JSON as it comes; each function returns false at the first thing that is not what it expects.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Calls member(name) for each member; it must read the value.
  template <typename Member>
  bool Object(Member member) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string name;
      if (!String(&name) || !Take(':') || !member(name)) return false;
    } while (Take(','));
    return Take('}');
  }

  template <typename Element>
  bool Array(Element element) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      if (!element()) return false;
    } while (Take(','));
    return Take(']');
  }

  bool String(std::string* out) {
    if (!Take('"')) return false;
    while (at_ != end_ && *at_ != '"') {
      if (*at_ != '\\') {
        out->push_back(*at_++);
        continue;
      }
      if (++at_ == end_) return false;
      const char escape = *at_++;
      switch (escape) {
        case 'n': out->push_back('\n'); break;
        case 't': out->push_back('\t'); break;
        case 'r': out->push_back('\r'); break;
        case 'b': out->push_back('\b'); break;
        case 'f': out->push_back('\f'); break;
        case 'u':
          if (!Unicode(out)) return false;
          break;
        default: out->push_back(escape);
      }
    }
    if (at_ == end_) return false;
    ++at_;
    return true;
  }

  bool Number(uint32_t* out) {
    SkipSpace();
    const auto parsed = std::from_chars(at_, end_, *out);
    if (parsed.ec != std::errc()) return false;
    at_ = parsed.ptr;
    return true;
  }

  bool Skip(int depth = 0) {
    SkipSpace();
    if (at_ == end_ || depth > kMaxDepth) return false;
    std::string ignored;
    switch (*at_) {
      case '"': return String(&ignored);
      case '{': return Object([&](const std::string&) { return Skip(depth + 1); });
      case '[': return Array([&] { return Skip(depth + 1); });
      default: break;
    }
    const char* const begin = at_;
    while (at_ != end_ && std::string_view(",]} \t\r\n").find(*at_) == std::string_view::npos) ++at_;
    return at_ != begin;
  }

 private:
  void SkipSpace() {
    while (at_ != end_ && std::string_view(" \t\r\n").find(*at_) != std::string_view::npos) ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // Only what servers escape that way: control characters. Others become '?', for the text is for a person.
  bool Unicode(std::string* out) {
    uint32_t code = 0;
    if (end_ - at_ < 4) return false;
    const auto parsed = std::from_chars(at_, at_ + 4, code, 16);
    if (parsed.ec != std::errc() || parsed.ptr != at_ + 4) return false;
    at_ += 4;
    out->push_back(code < 0x80 ? static_cast<char>(code) : '?');
    return true;
  }

  const char* at_;
  const char* end_;
};

bool ReadLine(JsonReader* json, RejectedLine* line) {
  return json->Object([&](const std::string& name) {
    if (name == "line_number" || name == "row") return json->Number(&line->number);
    if (name == "column") return json->Number(&line->column);
    if (name == "error_message" || name == "reason") return json->String(&line->reason);
    if (name == "original_line" || name == "series") return json->String(&line->line);
    return json->Skip();
  });
}

}  // namespace

Refusal ParseRefusal(std::string_view body) {
  Refusal refusal;
  JsonReader json(body);
  const bool read = json.Object([&](const std::string& name) {
    if (name == "error") return json.String(&refusal.text);
    if (name != "data" && name != "rows") return json.Skip();
    return json.Array([&] {
      RejectedLine line;
      if (!ReadLine(&json, &line)) return false;
      refusal.lines.push_back(std::move(line));
      return true;
    });
  });
  if (!read || refusal.text.empty()) {
    refusal = {};
    refusal.text = body.substr(0, kMaxTextBytes);
    return refusal;
  }
  refusal.partial = refusal.text.starts_with("partial write");
  if (const size_t at = refusal.text.rfind("dropped="); at != std::string::npos) {
    const char* const digits = refusal.text.data() + at + 8;
    std::from_chars(digits, refusal.text.data() + refusal.text.size(), refusal.dropped);
  }
  refusal.dropped = std::max<uint64_t>(refusal.dropped, refusal.lines.size());
  return refusal;
}

}  // namespace tidemark::client
