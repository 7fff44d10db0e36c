// What a person does about damage: the remedy of the findings that say so.
#pragma once

#include <string_view>

namespace tidemark::model {

inline constexpr std::string_view kRepairRemedy =
    "put back what is missing, or go on without it by `tidemark admin repair`, which with `--dry-run` says what it "
    "would do; the server must be stopped for that";

}  // namespace tidemark::model
