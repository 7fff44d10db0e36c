#include "tools/server/config/config.h"

#include <gtest/gtest.h>

#include <set>

#include "tools/server/config/setting_changes.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server {
namespace {

TEST(ParseConfig, ReadsNestedKeys) {
  Config config;
  const Status parsed = ParseConfig(R"(
data: /var/lib/tidemark
http:
  listen: [127.0.0.1:9000, "[::1]:9001"]
  body_bytes_max: 10MB
  header_timeout: 2s
host_metrics: off
udp:
  - 127.0.0.1:8089,db=telegraf,precision=s,batch=128KiB,interval=250ms
storage:
  retention: 30d
  partition: 6h
query: {timeout: 30s, max_memory: 512MiB}
rules:
  files: [a.yml]
log: {level: debug}
)",
                                    "t.yml", &config);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(config.data, "/var/lib/tidemark");
  EXPECT_EQ(config.listen, (std::vector<std::string>{"127.0.0.1:9000", "[::1]:9001"}));
  EXPECT_EQ(config.http.body_bytes_max, 10'000'000U);
  EXPECT_EQ(config.http.header_timeout, std::chrono::seconds(2));
  EXPECT_FALSE(config.host_metrics);
  ASSERT_EQ(config.udp.size(), 1U);
  EXPECT_EQ(config.udp[0].database, "telegraf");
  EXPECT_EQ(config.udp[0].precision, "s");
  EXPECT_EQ(config.udp[0].batch_bytes, 131'072U);
  EXPECT_EQ(config.udp[0].batch_ms, 250);
  EXPECT_EQ(config.store.new_database.retention_ns, 30 * storage::kNsPerDay);
  EXPECT_EQ(config.store.new_database.partition_ns, 6 * storage::kNsPerHour);
  EXPECT_EQ(config.api.timeout_ms, 30'000);
  EXPECT_EQ(config.api.budget.max_bytes, uint64_t{512} << 20);
  EXPECT_EQ(config.rule_files, std::vector<std::string>{"a.yml"});
  EXPECT_EQ(config.log_level, log::Level::kDebug);
}

TEST(ParseConfig, NamesTheFaultAndItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"dta: x\n", "t.yml:1:1: unknown key \"dta\""},
      {"http:\n  lsten: [a]\n", "t.yml:2:3: unknown key \"http.lsten\""},
      {"http: 5\n", "t.yml:1:7: http must be a map"},
      {"data: [a]\n", "t.yml:1:7: data must be one value"},
      {"udp: x\n", "t.yml:1:6: udp must be a list"},
      {"http:\n  listen: [nowhere]\n", "t.yml:2:12: http.listen: \"nowhere\" is not ADDRESS:PORT"},
      {"http:\n  body_bytes_max: lots\n", "\"lots\" is not a size"},
      {"http:\n  header_timeout: 0\n", "must be longer than 0"},
      {"http:\n  write_threads: 0\n", "0 is not in [1, 1024]"},
      {"host_metrics: maybe\n", "\"maybe\" is neither on nor off"},
      {"query:\n  timeout: soon\n", "\"soon\" is not a duration"},
      {"udp: ['127.0.0.1:1,colour=red']\n", "\"colour\" of a UDP listener"},
      {"udp: ['127.0.0.1:1,precision=year']\n", "udp: "},
      {"native: ['127.0.0.1:1,colour=red']\n", "\"colour\" of a listener for native batches"},
      {"native: ['127.0.0.1:1,connections=0']\n", "connections=\"0\" is not in [1, 1024]"},
      {"native: [nowhere]\n", "\"nowhere\" is not ADDRESS:PORT"},
      {"log: {level: loud}\n", "\"loud\" is no log level"},
      {"data: a\ndata: b\n", "t.yml:2:1"},
      {"data: {", "t.yml:1:"},
  };
  for (const auto& [text, fault] : cases) {
    Config config;
    const Status parsed = ParseConfig(text, "t.yml", &config);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().message.find(fault), std::string::npos) << text << "\n" << parsed.error().message;
  }
}

TEST(PrintConfig, ReadsBackAsItself) {
  Config config;
  ASSERT_TRUE(ParseConfig("udp: ['127.0.0.1:8089,db=x']\ndata: 'a: b'\nquery: {timeout: 1500ms}\n", "t", &config).ok());
  const std::string text = PrintConfig(config);
  Config again;
  const Status parsed = ParseConfig(text, "printed", &again);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message << "\n" << text;
  EXPECT_EQ(PrintConfig(again), text);
  EXPECT_EQ(again.data, "a: b");
  EXPECT_EQ(again.api.timeout_ms, 1500);
}

TEST(PrintConfig, LeavesSecretsOut) {
  Config config;
  ASSERT_TRUE(ParseConfig("notify: {watchdog: 'http://u:PLANTED@h/PLANTED?t=PLANTED'}\n", "t", &config).ok());
  EXPECT_EQ(config.notify.watchdog_url, "http://u:PLANTED@h/PLANTED?t=PLANTED");
  const std::string text = PrintConfig(config);
  EXPECT_EQ(text.find("PLANTED"), std::string::npos) << text;
  Config again;
  EXPECT_FALSE(ParseConfig(text, "printed", &again).ok()) << "a server with another address would be worse";
  Config empty;
  EXPECT_TRUE(ParseConfig(PrintConfig(Config()), "printed", &empty).ok());
}

TEST(PrintConfig, HasACommentAboveEachKey) {
  Config config;
  const std::string text = PrintConfig(config);
  for (const Setting& setting : SettingsOf(&config)) {
    EXPECT_FALSE(setting.comment.empty()) << setting.key;
    EXPECT_NE(text.find("# " + setting.comment + "\n"), std::string::npos) << setting.key;
  }
}

TEST(SettingsOf, HasEachKeyOnce) {
  Config config;
  std::set<std::string> keys;
  for (const Setting& setting : SettingsOf(&config)) EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
}

TEST(TakeSettings, TakesOverWhatMayChangeAndNamesTheRest) {
  Config in_force;
  Config wanted;
  ASSERT_TRUE(ParseConfig("http: {listen: ['127.0.0.1:1'], body_bytes_max: 1234, io_threads: 7}\n"
                          "query: {timeout: 5s, lookback: 7m}\nrules: {files: [a.yml, b.yml]}\nlog: {level: warn}\n",
                          "t", &wanted)
                  .ok());
  const Config before = in_force;
  const SettingChanges changes = TakeSettings(wanted, &in_force);
  EXPECT_EQ(changes.taken,
            (std::vector<std::string>{"http.body_bytes_max", "query.timeout", "rules.files", "log.level"}));
  EXPECT_EQ(changes.need_restart, (std::vector<std::string>{"http.listen", "http.io_threads", "query.lookback"}));
  EXPECT_EQ(in_force.http.body_bytes_max, 1234U);
  EXPECT_EQ(in_force.api.timeout_ms, 5'000);
  EXPECT_EQ(in_force.rule_files, (std::vector<std::string>{"a.yml", "b.yml"}));
  EXPECT_EQ(in_force.log_level, log::Level::kWarn);
  EXPECT_EQ(in_force.listen, before.listen);
  EXPECT_EQ(in_force.http.io_threads, before.http.io_threads);
  // As long as nobody restarts the server, what waits for that is named again.
  const SettingChanges again = TakeSettings(wanted, &in_force);
  EXPECT_TRUE(again.taken.empty());
  EXPECT_EQ(again.need_restart, changes.need_restart);
  EXPECT_EQ(TakeSettings(before, &in_force).taken, changes.taken);
  EXPECT_EQ(PrintConfig(in_force), PrintConfig(before));
}

TEST(ParseEndpoint, TakesBothFamilies) {
  EXPECT_EQ(http::ParseEndpoint("127.0.0.1:0")->port, 0);
  EXPECT_EQ(http::ParseEndpoint("[::1]:8086")->address, "::1");
  for (const char* text : {"", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1"}) {
    EXPECT_FALSE(http::ParseEndpoint(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tidemark::server
