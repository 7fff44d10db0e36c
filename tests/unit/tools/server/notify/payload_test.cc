#include "tools/server/notify/payload.h"

#include <gtest/gtest.h>

#include "tools/server/notify/mail.h"
#include "tools/server/notify/notify_document.h"
#include "tools/server/notify/outbox.h"

namespace tidemark::server::notify {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

Alert MakeAlert(const std::string& host, bool fires) {
  Alert alert{.labels = {{"alertname", "Loss"}, {"host", host}, {"severity", "page"}},
              .annotations = {{"summary", "<lost> \"" + host + "\""}},
              .starts_at_ns = 1'700'000'000 * kSecond,
              .ends_at_ns = fires ? 0 : 1'700'000'060 * kSecond,
              .generator_url = "http://p/graph"};
  alert.fingerprint = FingerprintOf(alert.labels);
  return alert;
}

Message MakeMessage() {
  Message message;
  message.id = "id-1";
  message.channel = {.group = "g", .receiver = "ops", .integration = 1};
  message.group_key = R"({}:{alertname="Loss"})";
  message.group_labels = {{"alertname", "Loss"}};
  message.alerts = {MakeAlert("b", false), MakeAlert("a", true)};
  message.reason = TellReason::kNewFiring;
  message.made_at_ns = 5;
  message.firing = {message.alerts[1].fingerprint};
  message.resolved = {message.alerts[0].fingerprint};
  return message;
}

TEST(WebhookJson, IsThatOfAlertmanager) {
  const Message message = MakeMessage();
  EXPECT_EQ(
      WebhookJson(message, "http://us", {.alerts_max = 1}),
      R"({"receiver":"ops","status":"firing","alerts":[{"status":"resolved","labels":{"alertname":"Loss","host":"b",)"
      R"("severity":"page"},"annotations":{"summary":"<lost> \"b\""},"startsAt":"2023-11-14T22:13:20Z",)"
      R"("endsAt":"2023-11-14T22:14:20Z","generatorURL":"http://p/graph","fingerprint":")" +
          FingerprintText(message.alerts[0].fingerprint) +
          R"("}],"groupLabels":{"alertname":"Loss"},"commonLabels":{"alertname":"Loss","severity":"page"},)"
          R"("commonAnnotations":{},"externalURL":"http://us","version":"4","groupKey":"{}:{alertname=\"Loss\"}",)"
          R"("truncatedAlerts":1})");
  EXPECT_NE(WebhookJson(message, "", {}).find(R"("endsAt":"0001-01-01T00:00:00Z")"), std::string::npos);
}

// Of two alerts of which one fires it shows the one that is over.
TEST(WebhookJson, SaysAsAlertmanagerWhatIsCommonToThoseThatAreShown) {
  const std::string json = WebhookJson(MakeMessage(), "", {.alerts_max = 1, .status_of_shown = true});
  EXPECT_NE(json.find(R"({"receiver":"ops","status":"resolved",)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("commonLabels":{"alertname":"Loss","host":"b","severity":"page"})"), std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("commonAnnotations":{"summary":"<lost> \"b\""})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("truncatedAlerts":1)"), std::string::npos) << json;
}

TEST(TitleOf, NamesStateAndWhatAllHaveAlike) {
  Message message = MakeMessage();
  EXPECT_EQ(TitleOf(message), "[FIRING:1] Loss (page)");
  message.alerts.pop_back();
  EXPECT_EQ(TitleOf(message), "[RESOLVED] Loss (b page)");
  message.group_labels[0].value = std::string(300, 'x') + "\r\nBcc: all@example.org";
  const std::string title = TitleOf(message);
  EXPECT_LE(title.size(), 200U);
  EXPECT_EQ(title.find('\n'), std::string::npos);
}

TEST(Shapes, OfSlackAndTeams) {
  const Message message = MakeMessage();
  const Integration integration{.kind = IntegrationKind::kSlack, .channel = "#ops"};
  const std::string slack = SlackJson(message, integration, "http://us");
  EXPECT_TRUE(slack.starts_with(
      R"json({"channel":"#ops","username":"Tidemark","attachments":[{"title":"[FIRING:1] Loss (page)")json"))
      << slack;
  EXPECT_NE(slack.find(R"("color":"danger")"), std::string::npos);
  const std::string teams = TeamsJson(message, "http://us");
  EXPECT_NE(teams.find("&lt;lost&gt; &quot;a&quot;"), std::string::npos) << teams;
  EXPECT_NE(teams.find(R"("themeColor":"8C1A1A")"), std::string::npos);
}

TEST(AlertsText, SaysHowManyAreLeftOut) {
  Message message = MakeMessage();
  for (int i = 0; i < 100; ++i) message.alerts.push_back(MakeAlert("h" + std::to_string(i), true));
  const std::string text = AlertsText(message, 1000);
  EXPECT_LE(text.size(), 1100U);
  EXPECT_TRUE(text.starts_with("Firing since 2023-11-14T22:13:20Z\n")) << text;
  EXPECT_NE(text.find(" more alerts are left out."), std::string::npos) << text;
}

TEST(Mail, TextAndHtmlInShortLines) {
  Message message = MakeMessage();
  message.alerts[1].annotations = {{"note", "Größe = 1 "}, {"summary", std::string(3000, 'x')}};
  EmailOptions options{.to = "Ada <ada@example.org>, bo@example.org", .from = "Tide <tide@example.org>"};
  options.headers = {{"Subject", "Ä long one, " + std::string(100, 'y')}};
  const Mail mail = MailOf(message, options, "http://us", 784'111'777 * kSecond);
  EXPECT_EQ(mail.from, "tide@example.org");
  EXPECT_EQ(mail.to, (std::vector<std::string>{"ada@example.org", "bo@example.org"}));
  EXPECT_NE(mail.data.find("Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n"), std::string::npos) << mail.data;
  EXPECT_NE(mail.data.find("Message-ID: <id-1@example.org>\r\n"), std::string::npos);
  EXPECT_NE(mail.data.find("Subject: =?utf-8?q?=C3=84=20long"), std::string::npos);
  EXPECT_NE(mail.data.find("Content-Type: text/plain; charset=UTF-8"), std::string::npos);
  EXPECT_NE(mail.data.find("Content-Type: text/html; charset=UTF-8"), std::string::npos);
  EXPECT_NE(mail.data.find("Gr=C3=B6=C3=9Fe =3D 1=20\r\n"), std::string::npos);
  for (size_t at = 0; at < mail.data.size();) {
    const size_t end = mail.data.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 200U);
    at = end + 2;
  }
}

TEST(Documents, AreReadAsTheyWereWritten) {
  const Message message = MakeMessage();
  const Result<Message> read = ReadMessage(PrintMessage(message));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->id, message.id);
  EXPECT_EQ(read->channel, message.channel);
  EXPECT_EQ(read->group_key, message.group_key);
  EXPECT_EQ(read->group_labels, message.group_labels);
  EXPECT_EQ(read->alerts, message.alerts);
  EXPECT_EQ(read->reason, message.reason);
  EXPECT_EQ(read->firing, message.firing);
  EXPECT_EQ(read->resolved, message.resolved);
  const Told told{.at_ns = 7, .firing = {1, UINT64_MAX}, .resolved = {2}, .open = {3}, .muted = {4}};
  const auto read_told = ReadTold(PrintTold(message.channel, told));
  ASSERT_TRUE(read_told.ok());
  EXPECT_EQ(read_told->first, message.channel);
  EXPECT_EQ(read_told->second, told);
  const auto group = ReadGroupTimes(PrintGroupTimes("{}:{}", {.next_flush_ns = 9, .flushed = true}));
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->first, "{}:{}");
  EXPECT_TRUE(group->second.flushed);
  const Silence silence{.id = "s",
                        .matchers = *ParseMatchers(R"(a="x\"y",b=~"c|d",e!="",f!~"g")"),
                        .starts_at_ns = 1,
                        .ends_at_ns = 2,
                        .updated_at_ns = 3,
                        .created_by = "ada",
                        .comment = "why"};
  const auto read_silence = ReadSilence(PrintSilence(silence));
  ASSERT_TRUE(read_silence.ok());
  EXPECT_EQ(*read_silence, silence);
  const Status wrong = ReadSilence("{}").ok() ? Status() : Status(ReadSilence("{}").error());
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "of a stored silence, \"id\" is missing or wrong");
}

TEST(Backoff, GrowsToAMinute) {
  EXPECT_EQ(BackoffNs(1), kSecond / 2);
  EXPECT_EQ(BackoffNs(2), kSecond * 3 / 4);
  EXPECT_EQ(BackoffNs(1000), 60 * kSecond);
}

}  // namespace
}  // namespace tidemark::server::notify
