// Text as a value in the query of a URL: https://url.spec.whatwg.org/#urlencoded-serializing, with Go's choice of what
// is plain (url.QueryEscape).
#pragma once

#include <string>
#include <string_view>

namespace tidemark::text {

// Letters, digits and "-_.~" stay, a space is '+', every other byte %XX.
std::string QueryEscape(std::string_view text);

}  // namespace tidemark::text
