// Forms: bodies whose fields become parameters.
#pragma once

#include <string_view>

#include "storage/base/result.h"
#include "storage/base/text/params.h"

namespace tidemark::http {

// Whether a body of this Content-Type is a form.
bool IsForm(std::string_view content_type);

// Appends the fields of a form: application/x-www-form-urlencoded, or multipart/form-data (RFC 7578), whose files are
// fields like others. kInvalidArgument for what is damaged, kLimitExceeded for more than kMaxPairs fields.
Status ParseFormBody(std::string_view content_type, std::string_view body, text::Params* params);

}  // namespace tidemark::http
