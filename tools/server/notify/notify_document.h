// What the notifier keeps over a restart, as documents: alerts, times of groups, what was told, messages on their way,
// silences. JSON objects; kCorruption where one is not what is written here.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "query/notify/notifier.h"
#include "storage/base/result.h"

namespace tidemark::server::notify {

using namespace query::notify;  // NOLINT(google-build-using-namespace): this room is the model's way to disk and out

std::string PrintAlert(const Alert& alert);
Result<Alert> ReadAlert(std::string_view text);

std::string PrintGroupTimes(const std::string& id, GroupTimes times);
Result<std::pair<std::string, GroupTimes>> ReadGroupTimes(std::string_view text);

std::string PrintTold(const Channel& channel, const Told& told);
Result<std::pair<Channel, Told>> ReadTold(std::string_view text);

std::string PrintMessage(const Message& message);
Result<Message> ReadMessage(std::string_view text);

std::string PrintSilence(const Silence& silence);
Result<Silence> ReadSilence(std::string_view text);

}  // namespace tidemark::server::notify
