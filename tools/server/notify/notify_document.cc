#include "tools/server/notify/notify_document.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>

#include "storage/base/text/json_string.h"
#include "tools/server/notify/label_json.h"

namespace tidemark::server::notify {
namespace {

using simdjson::dom::element;
using text::AppendJsonString;

// Reads one object; the first thing that is missing or wrong is kept as the fault.
class Object {
 public:
  Object(element root, std::string_view what) : root_(root), what_(what) {}

  std::string Text(std::string_view key) { return std::string(Get<std::string_view>(key)); }
  // Empty where it is not there.
  std::string TextOrEmpty(std::string_view key) {
    std::string_view value;
    return root_[key].get(value) == simdjson::SUCCESS ? std::string(value) : "";
  }
  int64_t Int(std::string_view key) { return Get<int64_t>(key); }
  bool Bool(std::string_view key) { return Get<bool>(key); }

  model::Labels Labels(std::string_view key) {
    model::Labels labels;
    simdjson::dom::object map;
    if (root_[key].get(map) != simdjson::SUCCESS) return Miss(key), labels;
    for (const auto& [name, value] : map) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) Miss(key);
      labels.push_back({std::string(name), std::string(text)});
    }
    return labels;
  }

  std::set<uint64_t> Fingerprints(std::string_view key) {
    std::set<uint64_t> out;
    for (const element& entry : Array(key)) {
      uint64_t value = 0;
      if (entry.get(value) != simdjson::SUCCESS) Miss(key);
      out.insert(value);
    }
    return out;
  }

  std::vector<element> Array(std::string_view key) {
    std::vector<element> out;
    simdjson::dom::array array;
    if (root_[key].get(array) != simdjson::SUCCESS) return Miss(key), out;
    for (const element entry : array) out.push_back(entry);
    return out;
  }

  [[nodiscard]] Status status() const {
    if (missing_.empty()) return {};
    return Corruption(fmt::format("of a stored {}, \"{}\" is missing or wrong", what_, missing_));
  }
  void Miss(std::string_view key) {
    if (missing_.empty()) missing_ = key;
  }

 private:
  template <typename T>
  T Get(std::string_view key) {
    T value{};
    if (root_[key].get(value) != simdjson::SUCCESS) Miss(key);
    return value;
  }

  element root_;
  std::string_view what_;
  std::string missing_;
};

// What `read(object)` makes of the text.
template <typename Read>
auto Parse(std::string_view text, std::string_view what, const Read& read)
    -> Result<std::invoke_result_t<Read, Object&>> {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(simdjson::padded_string(text)).get(root) != simdjson::SUCCESS) {
    return Corruption(fmt::format("a stored {} is no JSON", what));
  }
  Object object(root, what);
  auto made = read(object);
  TM_RETURN_IF_ERROR(object.status());
  return made;
}

void AppendText(std::string* out, std::string_view key, std::string_view value) {
  *out += fmt::format("{}\"{}\":", out->back() == '{' ? "" : ",", key);
  AppendJsonString(out, value);
}

void AppendLabels(std::string* out, std::string_view key, const model::Labels& labels) {
  *out += fmt::format("{}\"{}\":", out->back() == '{' ? "" : ",", key);
  AppendLabelsJson(out, labels);
}

void AppendFingerprints(std::string* out, std::string_view key, const std::set<uint64_t>& values) {
  *out += fmt::format(",\"{}\":[", key);
  for (const uint64_t value : values) *out += fmt::format("{}{}", out->back() == '[' ? "" : ",", value);
  *out += ']';
}

Alert AlertOf(Object& object) {
  Alert alert;
  alert.labels = object.Labels("labels");
  alert.annotations = object.Labels("annotations");
  alert.starts_at_ns = object.Int("starts_ns");
  alert.ends_at_ns = object.Int("ends_ns");
  alert.updated_at_ns = object.Int("updated_ns");
  alert.timeout = object.Bool("timeout");
  alert.generator_url = object.Text("generator_url");
  // Older servers have not written these two.
  alert.rule_group = object.TextOrEmpty("rule_group");
  alert.rule = object.TextOrEmpty("rule");
  alert.fingerprint = FingerprintOf(alert.labels);
  return alert;
}

void AppendChannel(std::string* out, const Channel& channel) {
  AppendText(out, "group", channel.group);
  AppendText(out, "receiver", channel.receiver);
  *out += fmt::format(R"(,"integration":{})", channel.integration);
}

Channel ChannelOf(Object& object) {
  Channel channel{.group = object.Text("group"), .receiver = object.Text("receiver"), .integration = 0};
  channel.integration = static_cast<size_t>(std::max<int64_t>(object.Int("integration"), 0));
  return channel;
}

}  // namespace

std::string PrintAlert(const Alert& alert) {
  std::string out = "{";
  AppendLabels(&out, "labels", alert.labels);
  AppendLabels(&out, "annotations", alert.annotations);
  out += fmt::format(R"(,"starts_ns":{},"ends_ns":{},"updated_ns":{},"timeout":{})", alert.starts_at_ns,
                     alert.ends_at_ns, alert.updated_at_ns, alert.timeout);
  AppendText(&out, "generator_url", alert.generator_url);
  if (!alert.rule_group.empty()) AppendText(&out, "rule_group", alert.rule_group);
  if (!alert.rule.empty()) AppendText(&out, "rule", alert.rule);
  return out + '}';
}

Result<Alert> ReadAlert(std::string_view text) { return Parse(text, "alert", &AlertOf); }

std::string PrintGroupTimes(const std::string& id, GroupTimes times) {
  std::string out = "{";
  AppendText(&out, "id", id);
  return out + fmt::format(R"(,"next_flush_ns":{},"flushed":{}}})", times.next_flush_ns, times.flushed);
}

Result<std::pair<std::string, GroupTimes>> ReadGroupTimes(std::string_view text) {
  return Parse(text, "group of alerts", [](Object& object) {
    return std::pair(object.Text("id"),
                     GroupTimes{.next_flush_ns = object.Int("next_flush_ns"), .flushed = object.Bool("flushed")});
  });
}

std::string PrintTold(const Channel& channel, const Told& told) {
  std::string out = "{";
  AppendChannel(&out, channel);
  out += fmt::format(R"(,"at_ns":{})", told.at_ns);
  AppendFingerprints(&out, "firing", told.firing);
  AppendFingerprints(&out, "resolved", told.resolved);
  AppendFingerprints(&out, "open", told.open);
  AppendFingerprints(&out, "muted", told.muted);
  return out + '}';
}

Result<std::pair<Channel, Told>> ReadTold(std::string_view text) {
  return Parse(text, "note of what was told", [](Object& object) {
    Told told{.at_ns = object.Int("at_ns"),
              .firing = object.Fingerprints("firing"),
              .resolved = object.Fingerprints("resolved"),
              .open = object.Fingerprints("open"),
              .muted = object.Fingerprints("muted")};
    return std::pair(ChannelOf(object), std::move(told));
  });
}

std::string PrintMessage(const Message& message) {
  std::string out = "{";
  AppendText(&out, "id", message.id);
  AppendChannel(&out, message.channel);
  AppendText(&out, "group_key", message.group_key);
  AppendLabels(&out, "group_labels", message.group_labels);
  out += fmt::format(R"(,"reason":{},"made_ns":{})", static_cast<int>(message.reason), message.made_at_ns);
  AppendFingerprints(&out, "firing", message.firing);
  AppendFingerprints(&out, "resolved", message.resolved);
  out += R"(,"alerts":[)";
  for (const Alert& alert : message.alerts) {
    if (out.back() != '[') out += ',';
    out += PrintAlert(alert);
  }
  return out + "]}";
}

Result<Message> ReadMessage(std::string_view text) {
  return Parse(text, "message", [](Object& object) {
    Message message;
    message.id = object.Text("id");
    message.channel = ChannelOf(object);
    message.group_key = object.Text("group_key");
    message.group_labels = object.Labels("group_labels");
    message.reason = static_cast<TellReason>(
        std::clamp<int64_t>(object.Int("reason"), 0, static_cast<int64_t>(TellReason::kRepeat)));
    message.made_at_ns = object.Int("made_ns");
    message.firing = object.Fingerprints("firing");
    message.resolved = object.Fingerprints("resolved");
    for (const element& entry : object.Array("alerts")) {
      Object alert(entry, "alert of a message");
      message.alerts.push_back(AlertOf(alert));
      if (!alert.status().ok()) object.Miss("alerts");
    }
    return message;
  });
}

std::string PrintSilence(const Silence& silence) {
  std::string out = "{";
  AppendText(&out, "id", silence.id);
  AppendText(&out, "matchers", MatchersText(silence.matchers));
  out += fmt::format(R"(,"starts_ns":{},"ends_ns":{},"updated_ns":{})", silence.starts_at_ns, silence.ends_at_ns,
                     silence.updated_at_ns);
  AppendText(&out, "created_by", silence.created_by);
  AppendText(&out, "comment", silence.comment);
  return out + '}';
}

Result<Silence> ReadSilence(std::string_view text) {
  return Parse(text, "silence", [](Object& object) {
    Silence silence;
    silence.id = object.Text("id");
    if (Result<Matchers> matchers = ParseMatchers(object.Text("matchers")); matchers.ok()) {
      silence.matchers = std::move(matchers).value();
    } else {
      object.Miss("matchers");
    }
    silence.starts_at_ns = object.Int("starts_ns");
    silence.ends_at_ns = object.Int("ends_ns");
    silence.updated_at_ns = object.Int("updated_ns");
    silence.created_by = object.Text("created_by");
    silence.comment = object.Text("comment");
    return silence;
  });
}

}  // namespace tidemark::server::notify
