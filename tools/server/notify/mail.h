// MailOf: a message as an e-mail: text and HTML alternatives in quoted-printable, no line longer than 998 bytes.
//
// Sources: RFC 5322 (headers, Message-ID, References), RFC 2045 and 2046 (MIME), RFC 2047 (encoded words).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/notify/notifier.h"
#include "query/notify/receiver.h"

namespace tidemark::server::notify {

struct Mail {
  std::string from;  // bare addresses
  std::vector<std::string> to;
  std::string data;  // headers and body, lines end with CRLF
};

// `now_ns`: its Date. The Message-ID is the message's own id, so that a mail that is sent again is recognised; the
// mails of a group refer to the same thread.
Mail MailOf(const query::notify::Message& message, const query::notify::EmailOptions& options,
            const std::string& external_url, int64_t now_ns);

// "Ada <ada@example.org>" is ada@example.org.
std::string BareAddress(std::string_view text);
// The addresses of a list with commas between.
std::vector<std::string> BareAddresses(std::string_view text);

}  // namespace tidemark::server::notify
