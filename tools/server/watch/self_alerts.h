// The rules that alert on the server itself, in force unless `rules.self` is off.
#pragma once

#include <string_view>

namespace tidemark::server {

// What stands for the name of their file.
inline constexpr std::string_view kSelfAlertsFile = "tidemark";

// A rule file. It reads what SelfRecorder and the recorder of the machine write. What no rule can say of itself or of a
// store that takes no writes is told by RuleNotices and ReadOnlyNotice.
std::string_view SelfAlertsText();

}  // namespace tidemark::server
