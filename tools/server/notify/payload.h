// What receivers get: a message in the shape of each kind.
//
// Sources: prometheus/alertmanager 0.25, notify/webhook (version 4 of its JSON), template/default.tmpl;
// https://api.slack.com/messaging/webhooks, https://api.slack.com/reference/messaging/attachments;
// https://learn.microsoft.com/outlook/actionable-messages/message-card-reference.
#pragma once

#include <cstdint>
#include <string>

#include "query/notify/notifier.h"
#include "query/notify/receiver.h"

namespace tidemark::server::notify {

// "[FIRING:2] Loss gold (page)": state and number, the values of the group's labels, those that all alerts have alike.
// One line, at most 200 bytes.
std::string TitleOf(const query::notify::Message& message);

// How much a webhook says of a message.
struct WebhookExtent {
  size_t alerts_max = 0;  // 0: all of its alerts
  // Status, common labels and common annotations are those of the alerts that are shown, as Alertmanager has it: a
  // message may say "resolved" of a group in which others fire. Else they are those of all.
  bool status_of_shown = false;
};

// Alertmanager's webhook JSON, version 4.
std::string WebhookJson(query::notify::Message message, const std::string& external_url, WebhookExtent extent);
// Attachments for a Slack-shaped webhook, within Slack's limits: 40,000 characters of text.
std::string SlackJson(const query::notify::Message& message, const query::notify::Integration& integration,
                      const std::string& external_url);
// A MessageCard, within the 28 KB that Teams takes.
std::string TeamsJson(const query::notify::Message& message, const std::string& external_url);

// The alerts as plain text and as HTML, the first ones only where it would be longer than `bytes_max`; then it says
// how many are left out.
std::string AlertsText(const query::notify::Message& message, size_t bytes_max);
std::string AlertsHtml(const query::notify::Message& message, const std::string& external_url, size_t bytes_max);

}  // namespace tidemark::server::notify
