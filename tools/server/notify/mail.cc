#include "tools/server/notify/mail.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "query/notify/alert.h"
#include "storage/base/utf8.h"
#include "tools/server/http/message.h"
#include "tools/server/notify/payload.h"

namespace tidemark::server::notify {
namespace {

using query::notify::EmailOptions;
using query::notify::Message;

// Of each of the two bodies.
constexpr size_t kBodyBytesMax = size_t{256} << 10;

bool IsPlainHeader(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
}

// Quoted-printable (RFC 2045, 6.7): lines of at most 76 bytes.
std::string QuotedPrintable(std::string_view text) {
  std::string out;
  size_t column = 0;
  const auto add = [&](std::string_view piece) {
    if (column + piece.size() > 75) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool before_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (c > ' ' && c < 127 && c != '=') || ((c == ' ' || c == '\t') && !before_end);
    if (plain && !(c == '.' && column == 0)) {
      add(std::string_view(&c, 1));
    } else {
      add(fmt::format("={:02X}", static_cast<unsigned char>(c)));
    }
  }
  return out + "\r\n";
}

// Encoded words of at most 75 bytes each (RFC 2047), cut between characters.
std::string HeaderText(std::string_view text) {
  if (IsPlainHeader(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    // 18 bytes become at most 54, and the frame has 12.
    std::string_view piece = CutUtf8(text, 18);
    if (piece.empty()) piece = text.substr(0, 1);
    text.remove_prefix(piece.size());
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?q?";
    for (const char c : piece) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      out += plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
    out += "?=";
  }
  return out;
}

// "Sun, 06 Nov 1994 08:49:37 +0000".
std::string DateText(int64_t now_ns) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds at{std::chrono::seconds(now_ns / 1'000'000'000)};
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(midnight);
  const auto seconds = (at - midnight).count();
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays.at(std::chrono::weekday(midnight).c_encoding()),
                     static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()), seconds / 3600, seconds / 60 % 60, seconds % 60);
}

void AppendPart(std::string* out, const std::string& boundary, std::string_view type, std::string_view text) {
  *out += fmt::format("--{}\r\nContent-Type: {}; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
                      boundary, type);
  *out += QuotedPrintable(text);
}

}  // namespace

std::string BareAddress(std::string_view text) {
  const size_t open = text.rfind('<');
  const size_t close = text.rfind('>');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    text = text.substr(open + 1, close - open - 1);
  }
  return std::string(http::Trim(text));
}

std::vector<std::string> BareAddresses(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (std::string one = BareAddress(text.substr(0, comma)); !one.empty()) out.push_back(std::move(one));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

Mail MailOf(const Message& message, const EmailOptions& options, const std::string& external_url, int64_t now_ns) {
  Mail mail{.from = BareAddress(options.from), .to = BareAddresses(options.to), .data = {}};
  const std::string domain = mail.from.substr(std::min(mail.from.find('@') + 1, mail.from.size()));
  const std::string boundary = "tidemark-" + message.id;
  const auto given = [&](std::string_view name) {
    return std::any_of(options.headers.begin(), options.headers.end(),
                       [&](const auto& header) { return http::EqualsNoCase(header.first, name); });
  };
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!given(name)) mail.data += fmt::format("{}: {}\r\n", name, value);
  };
  add("From", options.from);
  add("To", options.to);
  add("Subject", HeaderText(TitleOf(message)));
  for (const auto& [name, value] : options.headers) mail.data += fmt::format("{}: {}\r\n", name, HeaderText(value));
  add("Date", DateText(now_ns));
  add("Message-ID", fmt::format("<{}@{}>", message.id, domain));
  const uint64_t thread = query::notify::FingerprintOf({{message.group_key, message.channel.receiver}});
  add("References", fmt::format("<group-{:016x}@{}>", thread, domain));
  mail.data += fmt::format(
      "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
      "Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n",
      boundary);
  AppendPart(&mail.data, boundary, "text/plain", AlertsText(message, kBodyBytesMax));
  AppendPart(&mail.data, boundary, "text/html",
             "<!DOCTYPE html>\n<html><body>\n" + AlertsHtml(message, external_url, kBodyBytesMax) + "</body></html>\n");
  mail.data += fmt::format("--{}--\r\n", boundary);
  return mail;
}

}  // namespace tidemark::server::notify
