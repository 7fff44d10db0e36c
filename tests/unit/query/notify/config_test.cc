#include "query/notify/config.h"

#include <gtest/gtest.h>

namespace tidemark::query::notify {
namespace {

constexpr const char* kFile = R"(
global:
  resolve_timeout: 10m
  smtp_from: tide@example.org
  smtp_smarthost: mail:25
route:
  receiver: all
  group_by: [alertname]
  group_wait: 10s
  routes:
    - matchers: ['severity="page", team!=x']
      receiver: page
      continue: true
      group_by: ['...']
      routes:
        - match_re: {zone: a|b}
          repeat_interval: 30m
    - match: {severity: page}
      mute_time_intervals: [nights]
receivers:
  - name: all
  - name: page
    webhook_configs:
      - url: http://127.0.0.1:1/x
        max_alerts: 7
    email_configs:
      - to: ada@example.org
    command_configs:
      - command: [/bin/true, now]
inhibit_rules:
  - source_matchers: [severity=page]
    target_matchers: [severity=info]
    equal: [zone]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}]
        location: Europe/Berlin
)";

std::string KeysOf(const Config& config, const model::Labels& labels) {
  std::string keys;
  for (const Route* route : config.root.Match(labels)) keys += route->key + "->" + route->receiver + " ";
  return keys;
}

TEST(ParseConfig, ReadsAlertmanagersFormat) {
  const Result<Config> config = ParseConfig(kFile, "f");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->resolve_timeout_ns, 600'000'000'000);
  EXPECT_EQ(KeysOf(*config, {{"severity", "info"}}), "{}->all ");
  EXPECT_EQ(KeysOf(*config, {{"severity", "page"}, {"zone", "b"}}),
            R"({}/{severity="page",team!="x"}/{zone=~"^(?:a|b)$"}->page {}/{severity="page"}->all )");
  EXPECT_EQ(KeysOf(*config, {{"severity", "page"}, {"team", "x"}}), R"({}/{severity="page"}->all )");
  const Route& page = config->root.children[0];
  EXPECT_TRUE(page.group_by_all);
  EXPECT_EQ(page.group_wait_ns, 10'000'000'000);
  EXPECT_EQ(page.children[0].repeat_interval_ns, 1'800'000'000'000);
  EXPECT_EQ(config->root.GroupLabels({{"alertname", "A"}, {"b", "c"}}), (model::Labels{{"alertname", "A"}}));
  const Receiver& receiver = *config->FindReceiver("page");
  ASSERT_EQ(receiver.integrations.size(), 3U);
  EXPECT_EQ(receiver.integrations[0].max_alerts, 7U);
  EXPECT_EQ(receiver.integrations[1].email.smarthost, "mail:25");
  EXPECT_FALSE(receiver.integrations[1].send_resolved);
  EXPECT_EQ(receiver.integrations[2].command, (std::vector<std::string>{"/bin/true", "now"}));
  EXPECT_EQ(config->warnings.size(), 0U);
  EXPECT_EQ(config->intervals.at("nights").size(), 1U);
}

TEST(ParseConfig, ReadsOtherAlertmanagers) {
  const auto config = ParseConfig(R"(
alertmanagers:
  - url: https://am-1:9093/base/
    http_config: {basic_auth: {username: ada, password_file: /secret}, tls_config: {ca_file: /ca.pem}}
    resend_delay: 30s
  - {url: "http://am-2:9093", timeout: 3s, http_config: {bearer_token_file: /token}}
)",
                                  "f");
  ASSERT_TRUE(config.ok()) << config.error().message;
  ASSERT_EQ(config->alertmanagers.size(), 2U);
  const AlertmanagerTarget& first = config->alertmanagers[0];
  EXPECT_EQ(first.url, "https://am-1:9093/base");
  EXPECT_EQ(first.http.password.file, "/secret");
  EXPECT_EQ(first.http.tls.ca_file, "/ca.pem");
  EXPECT_EQ(first.resend_delay_ns, 30'000'000'000);
  const AlertmanagerTarget& second = config->alertmanagers[1];
  EXPECT_EQ(second.timeout_ns, 3'000'000'000);
  EXPECT_EQ(second.resend_delay_ns, 60'000'000'000);
  EXPECT_EQ(second.http.credentials.file, "/token");
  EXPECT_EQ(config->root.receiver, "default") << "nobody is told here";
  EXPECT_EQ(PrintConfig(*config).find("am-1"), std::string::npos) << "amtool knows no such key";
  const auto faults = ParseConfig(R"(alertmanagers:
  - {url: "am:9093"}
  - {url: "http://a/api/v2/alerts", resend_delay: 2m, timeout: 0s, relabel_configs: []}
  - {url: "http://b"}
  - {url: "http://b/"}
  - {url: "http://ada:secret@c:9093"}
  - {url: "http://d/am?token=secret"}
)",
                                  "f");
  ASSERT_FALSE(faults.ok());
  for (const char* fault :
       {"f:2:11: url must begin with http:// or https://", "f:3:11: url is that of the Alertmanager",
        "f:3:51: resend_delay", "f:3:64: timeout", "relabel_configs", "f:5:5: the Alertmanager http://b is there twice",
        "f:6:11: url has no user, password or query", "f:7:11: url has no user"}) {
    EXPECT_NE(faults.error().message.find(fault), std::string::npos) << fault << "\n" << faults.error().message;
  }
  EXPECT_EQ(faults.error().message.find("secret"), std::string::npos) << faults.error().message;
}

TEST(PrintConfig, IsReadAgainAndHasNoSecret) {
  Result<Config> config = ParseConfig(kFile, "f");
  ASSERT_TRUE(config.ok());
  config->receivers[1].integrations[0].url.text = "http://secret";
  const std::string printed = PrintConfig(*config);
  EXPECT_EQ(printed.find("secret"), std::string::npos) << printed;
  const Result<Config> again = ParseConfig(printed, "printed");
  ASSERT_TRUE(again.ok()) << again.error().message << "\n" << printed;
  const model::Labels labels{{"severity", "page"}, {"zone", "b"}};
  EXPECT_EQ(KeysOf(*again, labels), KeysOf(*config, labels));
  EXPECT_EQ(PrintConfig(*again), printed);
  EXPECT_EQ(again->intervals.at("nights")[0].zone->name(), "Europe/Berlin");
}

TEST(ParseConfig, NamesEveryFaultWithItsPlace) {
  const std::string tail = "receivers: [{name: a}]\n";
  const std::pair<std::string, const char*> cases[] = {
      {"receivers: []", "f:1:1: no route: write `route: {receiver: NAME}`"},
      {"route: {receiver: b}\n" + tail, "f:1:19: undefined receiver \"b\" used in route"},
      {"route: {}\n" + tail, "f:1:8: the root route needs a receiver"},
      {"route: {receiver: a, matchers: [x=y]}\n" + tail, "f:1:32: the root route must not have any matchers"},
      {"route: {receiver: a, group_by: [a, a]}\n" + tail, "f:1:36: duplicated label \"a\" in group_by"},
      {"route: {receiver: a, group_by: ['...', a]}\n" + tail, "f:1:32: cannot have wildcard"},
      {"route: {receiver: a, group_interval: 0s}\n" + tail, "f:1:38: group_interval cannot be zero"},
      {"route: {receiver: a, group_wait: soon}\n" + tail, "f:1:34: group_wait: not a valid duration string: \"soon\""},
      {"route: {receiver: a, routes: [{matchers: ['x']}]}\n" + tail, "f:1:43: bad matcher format: x"},
      {"route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\n" + tail,
       "f:1:54: undefined time interval \"x\" used in route"},
      {"route: {receiver: a}\nreceivers: [{name: a}, {name: a}]\n",
       "f:2:24: notification config name \"a\" is not unique"},
      {"route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]\n",
       "f:2:41: one of url and url_file must be set"},
      {"route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: ftp://x}]}]\n",
       "f:2:47: url must begin with http:// or https://"},
      {"route: {receiver: a}\nreceivers: [{name: a, pagerduty_configs: []}]\n",
       "f:2:23: unknown key \"pagerduty_configs\" in a receiver"},
      {"route: {receiver: a}\nreceivers: [{name: a, command_configs: [{command: [ls]}]}]\n",
       "f:2:41: command must be a list: the absolute path of a program"},
      {"route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: b, from: c}]}]\n",
       "f:2:39: smarthost is missing"},
      {"route: {receiver: a}\n" + tail + "inhibit_rules: [{target_matchers: [a=b]}]\n",
       "f:3:17: an inhibit rule without source_matchers"},
      {"route: {receiver: a}\n" + tail + "time_intervals: [{name: x, time_intervals: [{location: Nowhere}]}]\n",
       "f:3:56: "},
      {"route: {receiver: a}\n" + tail +
           "time_intervals: [{name: x, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}]}]}]\n",
       "f:3:54: start_time must be before end_time"},
  };
  for (const auto& [text, message] : cases) {
    const Result<Config> config = ParseConfig(text, "f");
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_TRUE(config.error().message.starts_with(message)) << config.error().message << "\n wanted " << message;
  }
}

TEST(ParseConfig, WarnsOfWhatIsProbablyNotMeant) {
  const Result<Config> config = ParseConfig(R"(
route: {receiver: a, group_interval: 4m, repeat_interval: 10m}
receivers: [{name: a}]
inhibit_rules:
  - {source_matchers: [a=1], target_matchers: [a=2]}
  - {source_matchers: [a=2], target_matchers: [a=1]}
)",
                                            "f");
  ASSERT_TRUE(config.ok()) << config.error().message;
  ASSERT_EQ(config->warnings.size(), 2U);
  EXPECT_EQ(
      config->warnings[0],
      "the route at line 2: repeat_interval 10m is no multiple of group_interval 4m, so that it repeats every 12m");
  EXPECT_EQ(config->warnings[1].substr(0, 34), "the inhibit rules at lines 5 and 6");
}

}  // namespace
}  // namespace tidemark::query::notify
