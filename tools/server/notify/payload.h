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

// Alertmanager's webhook JSON, version 4. `alerts_max` 0: all.
std::string WebhookJson(const query::notify::Message& message, const std::string& external_url, size_t alerts_max);
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
