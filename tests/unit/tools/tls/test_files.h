// TestFiles: a certificate and its key in files of their own.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "tests/temp_directory.h"
#include "tools/tls/self_signed.h"
#include "tools/tls/server_context.h"

namespace tidemark::tls {

class TestFiles {
 public:
  // OpenSSL asks the machine's clock whether a certificate is good, so that must be the one here.
  explicit TestFiles(std::vector<std::string> names = {"localhost", "127.0.0.1"}) { Renew(std::move(names)); }

  // Another certificate with another key in the same files.
  void Renew(std::vector<std::string> names) {
    Result<CertificateAndKey> made =
        MakeSelfSigned({.names = std::move(names), .begins_seconds = std::time(nullptr) - 60, .days = 1});
    EXPECT_TRUE(made.ok()) << made.error().message;
    std::ofstream(certificate()) << made->certificate;
    std::ofstream(key()) << made->key;
  }

  [[nodiscard]] std::string certificate() const { return directory_.path() + "/certificate.pem"; }
  [[nodiscard]] std::string key() const { return directory_.path() + "/key.pem"; }
  [[nodiscard]] ServerFiles server() const { return {.certificate = certificate(), .key = key()}; }

 private:
  TempDirectory directory_;
};

}  // namespace tidemark::tls
