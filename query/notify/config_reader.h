// What the readers of the parts of a configuration share.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <vector>

#include "query/notify/config.h"
#include "query/notify/receiver.h"
#include "storage/base/yaml_reader.h"

namespace tidemark::query::notify {

// What `global` says of all receivers.
struct GlobalOptions {
  EmailOptions email;
  HttpOptions http;
  Secret slack_url;
};

// `otherwise` where the key is missing; a fault, and `otherwise`, where the value is of another kind.
bool ReadBool(YamlReader& yaml, const YAML::Node& map, const char* key, bool otherwise);
int64_t ReadDurationNs(YamlReader& yaml, const YAML::Node& map, const char* key, int64_t otherwise);
std::vector<std::string> ReadTexts(YamlReader& yaml, const YAML::Node& map, const char* key);
// The value of `key`, or the name of the file under `key`_file; both is a fault.
Secret ReadSecret(YamlReader& yaml, const YAML::Node& map, const std::string& key);

// Matchers under `matchers_key` (a list of texts), `equal_key` and `regex_key` (maps), sorted.
Matchers ReadMatchers(YamlReader& yaml, const YAML::Node& map, const char* matchers_key, const char* equal_key,
                      const char* regex_key);

GlobalOptions ReadGlobal(YamlReader& yaml, const YAML::Node& node, int64_t* resolve_timeout_ns);
AlertmanagerTarget ReadAlertmanager(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global);
Receiver ReadReceiver(YamlReader& yaml, const YAML::Node& node, const GlobalOptions& global);
TimeInterval ReadTimeInterval(YamlReader& yaml, const YAML::Node& node);

}  // namespace tidemark::query::notify
