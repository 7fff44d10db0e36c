// The support bundle has what helps, and none of the secrets that are planted in all that it reads.
#include "tools/cli/support/support_bundle.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/temp_directory.h"
#include "tools/cli/support/redact.h"

namespace tidemark::cli {
namespace {

// Lines with a secret, S3CRET somewhere in it, as settings, logs, answers and flags have them.
constexpr const char* kPlanted[] = {
    "password: S3CRET-x1",
    "  smtp_auth_password: 'S3CRET two words'",
    "slack_api_url: https://hooks.slack.com/services/T0/B0/S3CRET",
    "  url: \"https://user:S3CRET@example.org/hook\"",
    "url: https://user:p@S3CRET@example.org/",
    "Authorization: Bearer S3CRET.abc-123",
    "authorization: Basic S3CRETdXNlcjpwYXNz==",
    "the header was Token S3CRET0123456789",
    R"({"token":"S3CRET\"x","name":"agent"})",
    R"({"data":{"yaml":"tls:\n  key_password: S3CRET\n"}})",
    "GET /write?u=admin&p=S3CRET&db=a HTTP/1.1",
    "GET /query?db=a&token=S3CRET HTTP/1.1",
    "--notify-token=S3CRET --data /var/lib/tidemark",
    "PGPASSWORD=S3CRET tidemarkd",
    "routing_key: S3CRET",
    "Cookie: session=S3CRET; path=/",
    "opsgenie_api_key: S3CRET",
    "secret: |\n  S3CRET\n  more S3CRET",
    "secret: >-\n  S3CRET\n\n  more S3CRET",
    "password: |S3CRET",
    "passwords:\n  - S3CRET\n  - S3CRET2",
    "tokens_by_name: {a: S3CRET, b: S3CRET}",
    "found tidemark_S3CRETabcdefghijklmnopqrstuvwxyzABCDEFGHIJK0 in a log",
    "-----BEGIN PRIVATE KEY-----\nS3CRETMIIEvQIBADAN\n-----END PRIVATE KEY-----",
    "a known one: kn0wn-S3CRET!",
};

TEST(Redact, NoPlantedSecretIsLeft) {
  for (const char* planted : kPlanted) {
    const std::string text = Redact(planted, {"kn0wn-S3CRET!"});
    EXPECT_EQ(text.find("S3CRET"), std::string::npos) << planted << "\nbecame\n" << text;
    EXPECT_NE(text.find(kRedacted), std::string::npos) << planted;
  }
}

TEST(Redact, WhatIsNoSecretStays) {
  const char* const plain[] = {
      "http:\n  listen: 127.0.0.1:8086\n  token_file: /etc/tidemark/token",
      "tidemark_http_requests_total{handler=\"/api/v1/query\",code=\"200\"} 17",
      "tidemark_ingest_rows_rejected_total 0",
      "2026-01-01T00:00:00Z info: listening on http://127.0.0.1:8086",
      R"({"status":"success","data":{"version":"0.1.0","revision":"abc"}})",
      "        123456 0600 /rocksdb/000012.sst",
      "the bearer of this was let in",
      "storage.retention: 30d",
      "see https://example.org/a/b?db=metrics&q=up",
  };
  for (const char* text : plain) EXPECT_EQ(Redact(text), text);
}

TEST(Redact, WhatFollowsABlockIsLookedAtAgain) {
  EXPECT_EQ(Redact("secret: |\n  S3CRET\nname: a\n"), "secret: |\n  [removed]\nname: a\n");
  EXPECT_EQ(Redact("secret:\n- S3CRET\nname: a\n"), "secret:\n- [removed]\nname: a\n");
}

TEST(SupportBundle, HoldsWhatHelpsAndNoSecret) {
  const TempDirectory directory;
  const std::string& folder = directory.path();
  std::filesystem::create_directories(folder + "/data/rocksdb");
  std::ofstream(folder + "/data/rocksdb/000001.sst") << "S3CRET in a file, which is not read";
  std::ofstream log(folder + "/log");
  for (const char* planted : kPlanted) log << planted << "\n";
  log << "the last line\n";
  log.close();
  size_t asked = 0;
  const Ask ask = [&](std::string_view path) -> Result<std::string> {
    if (++asked == 2) return MakeError(ErrorCode::kUnavailable, "no answer, password=S3CRET");
    if (path == "/api/v1/status/config")
      return R"({"data":{"yaml":"data: )" + folder + R"(/data\nhttp.token: S3CRET\n"}})";
    return std::string(kPlanted[asked % std::size(kPlanted)]) + "\n";
  };
  const std::string archive = MakeBundle({.server = "http://x",
                                          .data = {},
                                          .log = folder + "/log",
                                          .version = "1.2.3",
                                          .now_ns = 1'700'000'000'000'000'000,
                                          .secrets = {"kn0wn-S3CRET!"}},
                                         ask, [](std::string_view) {});
  EXPECT_EQ(archive.find("S3CRET"), std::string::npos);
  EXPECT_NE(archive.find("the last line"), std::string::npos);
  EXPECT_NE(archive.find("tidemark 1.2.3"), std::string::npos);
  EXPECT_NE(archive.find("/rocksdb/000001.sst"), std::string::npos);
  // Others can read it.
  std::ofstream(folder + "/a.tar") << archive;
  EXPECT_EQ(std::system(("cd " + folder +
                         " && tar -xf a.tar && test -s tidemark-support/README.txt && "
                         "test -s tidemark-support/metrics.txt && test -s tidemark-support/files.txt")
                            .c_str()),
            0);
}

}  // namespace
}  // namespace tidemark::cli
