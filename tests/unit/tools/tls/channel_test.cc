// Both sides of a TLS connection over a pair of sockets, without a server: what is refused, what names a peer has, what
// a reload does to connections that are open.
#include "tools/tls/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/tools/tls/test_files.h"

namespace tidemark::tls {
namespace {

// The client's side is OpenSSL as it is.
class Pair {
 public:
  explicit Pair(const ServerContext& server, SSL_CTX* client) {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, descriptors_), 0);
    Result<std::unique_ptr<Channel>> opened = server.Open(descriptors_[0]);
    EXPECT_TRUE(opened.ok());
    channel = std::move(opened).value();
    ssl.reset(SSL_new(client));
    SSL_set_fd(ssl.get(), descriptors_[1]);
    SSL_set_connect_state(ssl.get());
  }
  ~Pair() {
    channel.reset();
    ssl.reset();
    for (const int descriptor : descriptors_) ::close(descriptor);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  // Whether both sides came to their end; each is driven in turn, so that nothing waits.
  bool Handshake() {
    bool client_done = false;
    Channel::Outcome server = Channel::Outcome::kWantsRead;
    for (int turn = 0; turn < 100; ++turn) {
      const int code = SSL_do_handshake(ssl.get());
      client_done = code == 1;
      const int error = SSL_get_error(ssl.get(), code);
      if (server != Channel::Outcome::kDone) server = channel->Handshake();
      if (server == Channel::Outcome::kBroken) return false;
      if (client_done && server == Channel::Outcome::kDone) return true;
      if (!client_done && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        static_cast<void>(channel->Handshake());  // what the client said of it
        return false;
      }
    }
    return false;
  }

  // What the event loop does: the kernel puts at most `most` bytes where they are to be read, and the channel reads
  // them.
  Channel::Moved Receive(std::span<char> into, size_t most) {
    const ssize_t got = ::recv(descriptors_[0], into.data(), std::min(most, into.size()), 0);
    return channel->ReadReceived(into, got > 0 ? static_cast<size_t>(got) : 0);
  }

  void HangUp() { ::shutdown(descriptors_[1], SHUT_RDWR); }

  std::unique_ptr<Channel> channel;
  SslHandle ssl;

 private:
  int descriptors_[2] = {-1, -1};
};

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() : client_(SSL_CTX_new(TLS_client_method())) {}

  static std::shared_ptr<ServerContext> Load(const ServerFiles& files) {
    Result<std::shared_ptr<ServerContext>> context = ServerContext::Load(files);
    EXPECT_TRUE(context.ok()) << context.error().message;
    return std::move(context).value();
  }
  static std::string ErrorOf(const ServerFiles& files) {
    const auto context = ServerContext::Load(files);
    return context.ok() ? "" : context.error().message;
  }
  void ShowCertificate(const TestFiles& files) {
    ASSERT_EQ(SSL_CTX_use_certificate_chain_file(client_.get(), files.certificate().c_str()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(client_.get(), files.key().c_str(), SSL_FILETYPE_PEM), 1);
  }

  TestFiles files_;
  SslContext client_;
};

TEST_F(ChannelTest, MovesBytesBothWays) {
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  EXPECT_EQ(pair.channel->version(), "TLSv1.3");
  ASSERT_EQ(SSL_write(pair.ssl.get(), "question", 8), 8);
  char bytes[64];
  const Channel::Moved read = pair.channel->Read(bytes);
  ASSERT_EQ(read.outcome, Channel::Outcome::kDone);
  EXPECT_EQ(std::string(bytes, read.bytes), "question");
  EXPECT_EQ(pair.channel->Read(bytes).outcome, Channel::Outcome::kWantsRead);
  EXPECT_EQ(pair.channel->Write("answer").bytes, 6U);
  EXPECT_EQ(SSL_read(pair.ssl.get(), bytes, sizeof bytes), 6);
  pair.channel->Close();
  EXPECT_EQ(SSL_get_error(pair.ssl.get(), SSL_read(pair.ssl.get(), bytes, sizeof bytes)), SSL_ERROR_ZERO_RETURN);
}

TEST_F(ChannelTest, GoesOnWhereAFullSocketStoppedIt) {
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  const std::string sent(3'000'000, 'x');
  std::string received;
  size_t at = 0;
  bool was_full = false;
  while (received.size() < sent.size()) {
    while (at < sent.size()) {
      const Channel::Moved moved = pair.channel->Write(std::string_view(sent).substr(at));
      if (moved.outcome == Channel::Outcome::kWantsWrite) {
        was_full = true;
        break;
      }
      ASSERT_EQ(moved.outcome, Channel::Outcome::kDone) << pair.channel->error();
      at += moved.bytes;
    }
    char bytes[16384];
    const int got = SSL_read(pair.ssl.get(), bytes, sizeof bytes);
    ASSERT_GT(got, 0);
    received.append(bytes, static_cast<size_t>(got));
  }
  EXPECT_TRUE(was_full);
  EXPECT_EQ(received, sent);
}

TEST_F(ChannelTest, OneReadGivesWhatCameInSeveralRecords) {
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  std::string sent;
  for (int i = 0; i < 40; ++i) sent += std::string(1000 + static_cast<size_t>(i), static_cast<char>('a' + i % 26));
  for (size_t at = 0; at < sent.size(); at += 700) {
    const std::string_view piece = std::string_view(sent).substr(at, 700);
    ASSERT_EQ(SSL_write(pair.ssl.get(), piece.data(), static_cast<int>(piece.size())), static_cast<int>(piece.size()));
  }
  std::string got(sent.size() + 100, '\0');
  const Channel::Moved all = pair.channel->Read(got);
  ASSERT_EQ(all.outcome, Channel::Outcome::kDone);
  EXPECT_EQ(got.substr(0, all.bytes), sent) << "what lies in the socket comes in one call";
  EXPECT_FALSE(pair.channel->has_pending());
  EXPECT_EQ(pair.channel->Read(got).outcome, Channel::Outcome::kWantsRead);
  // What is read by less than a record stays for the next call, without the socket.
  ASSERT_EQ(SSL_write(pair.ssl.get(), "question", 8), 8);
  char few[3];
  EXPECT_EQ(pair.channel->Read(few).bytes, 3U);
  EXPECT_TRUE(pair.channel->has_pending());
  EXPECT_EQ(pair.channel->Read(few).bytes, 3U);
  EXPECT_EQ(pair.channel->Read(few).bytes, 2U);
}

TEST_F(ChannelTest, WhatWasReceivedAlreadyIsReadInItsPlace) {
  // Pieces that end inside of a record's head, on its end, inside of its body and behind several of them.
  for (const size_t piece : {1, 3, 5, 6, 21, 22, 26, 64, 100, 1000, 4096}) {
    const auto context = Load(files_.server());
    Pair pair(*context, client_.get());
    ASSERT_TRUE(pair.Handshake());
    std::string sent;
    for (int i = 0; i < 60; ++i) {
      const std::string record(static_cast<size_t>(i * 7 % 90 + 1), static_cast<char>('a' + i % 26));
      ASSERT_GT(SSL_write(pair.ssl.get(), record.data(), static_cast<int>(record.size())), 0);
      sent += record;
    }
    std::string got;
    while (got.size() < sent.size()) {
      std::array<char, 4096> bytes;
      bytes.fill('#');
      // A loop reads without the socket as long as it can, which it does here now and then only.
      const bool from_socket = !pair.channel->has_pending() || got.size() % 3 == 0;
      const Channel::Moved moved = from_socket ? pair.Receive(bytes, piece) : pair.channel->Read(bytes);
      if (moved.outcome == Channel::Outcome::kWantsRead) continue;
      ASSERT_EQ(moved.outcome, Channel::Outcome::kDone) << piece << ": " << pair.channel->error();
      got.append(bytes.data(), moved.bytes);
      ASSERT_EQ(got, sent.substr(0, got.size())) << "pieces of " << piece;
    }
    EXPECT_FALSE(pair.channel->has_pending());
    std::array<char, 64> bytes;
    EXPECT_EQ(pair.Receive(bytes, piece).outcome, Channel::Outcome::kWantsRead);
    SSL_shutdown(pair.ssl.get());
    EXPECT_EQ(pair.Receive(bytes, 4096).outcome, Channel::Outcome::kEnded);
  }
}

TEST_F(ChannelTest, AnEndWithoutAWordIsAFault) {
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  pair.HangUp();
  std::array<char, 64> bytes;
  EXPECT_EQ(pair.Receive(bytes, 64).outcome, Channel::Outcome::kBroken);
  EXPECT_NE(pair.channel->error(), "");
}

// Whether mallinfo2 tells what is allocated here: of a sanitizer's allocator it knows nothing.
bool AllocationsAreSeen() {
  const size_t before = ::mallinfo2().uordblks;
  const std::string probe(50'000, 'p');
  return probe.back() == 'p' && ::mallinfo2().uordblks >= before + probe.size();
}

TEST_F(ChannelTest, AFewBusyChannelsKeepTheirBuffersUntilTheyRest) {
  if (!AllocationsAreSeen()) GTEST_SKIP() << "another allocator than the C library's";
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  std::array<char, 64> bytes;
  // 20 questions and answers; what is allocated behind the last one beside what was before the first.
  const auto held_after = [&](int questions) {
    for (int i = 0; i < questions; ++i) {
      EXPECT_EQ(SSL_write(pair.ssl.get(), "question", 8), 8);
      EXPECT_EQ(pair.Receive(bytes, 64).bytes, 8U);
      EXPECT_EQ(pair.channel->Write("answer").bytes, 6U);
      EXPECT_EQ(SSL_read(pair.ssl.get(), bytes.data(), 64), 6);
    }
    return ::mallinfo2().uordblks;
  };
  const size_t few = held_after(2);
  EXPECT_GT(held_after(20), few + 30'000) << "both buffers";
  pair.channel->Rest();
  EXPECT_LT(::mallinfo2().uordblks, few + 2'000) << "none";
  EXPECT_LT(held_after(2), few + 2'000) << "a channel that is hardly asked keeps none";
  EXPECT_GT(held_after(20), few + 30'000);
  // Whoever reads a body, which takes a buffer of another size, keeps none behind it.
  const std::string body(16'000, 'b');
  std::string into(40'000, '\0');
  EXPECT_EQ(SSL_write(pair.ssl.get(), body.data(), 16'000), 16'000);
  const size_t before = ::mallinfo2().uordblks;
  EXPECT_EQ(pair.channel->Read(into).bytes, 16'000U);
  EXPECT_LT(::mallinfo2().uordblks + 30'000, before);
}

TEST(BufferKeepers, AreSoManyAtMost) {
  BufferKeepers keepers;
  int entered = 0;
  while (keepers.Enter()) ++entered;
  EXPECT_EQ(entered, 1000);
  EXPECT_FALSE(keepers.Enter()) << "one that was refused takes no place";
  keepers.Leave();
  EXPECT_TRUE(keepers.Enter());
  EXPECT_FALSE(keepers.Enter());
}

TEST_F(ChannelTest, TheEndComesBehindWhatWasSentBeforeIt) {
  const auto context = Load(files_.server());
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  ASSERT_EQ(SSL_write(pair.ssl.get(), "last", 4), 4);
  SSL_shutdown(pair.ssl.get());
  char bytes[64];
  const Channel::Moved read = pair.channel->Read(bytes);
  ASSERT_EQ(read.outcome, Channel::Outcome::kDone);
  EXPECT_EQ(read.bytes, 4U);
  EXPECT_EQ(pair.channel->Read(bytes).outcome, Channel::Outcome::kEnded);
}

TEST_F(ChannelTest, AKeyWithAPassPhraseIsNamedAndAskedForByNobody) {
  const ServerFiles files = files_.server();
  std::FILE* in = std::fopen(files.key.c_str(), "r");
  EVP_PKEY* const key = PEM_read_PrivateKey(in, nullptr, nullptr, nullptr);
  std::fclose(in);
  ASSERT_NE(key, nullptr);
  std::FILE* out = std::fopen(files.key.c_str(), "w");
  unsigned char phrase[] = "phrase";
  ASSERT_EQ(PEM_write_PrivateKey(out, key, EVP_aes_128_cbc(), phrase, sizeof phrase - 1, nullptr, nullptr), 1);
  std::fclose(out);
  EVP_PKEY_free(key);
  const std::string error = ErrorOf(files);
  EXPECT_NE(error.find(files.key), std::string::npos) << error;
  EXPECT_NE(error.find("has a pass phrase"), std::string::npos) << error;
}

TEST_F(ChannelTest, OldVersionsAndPlainTextAreRefused) {
  const auto context = Load(files_.server());
  SSL_CTX_set_security_level(client_.get(), 0);
  SSL_CTX_set_max_proto_version(client_.get(), TLS1_1_VERSION);
  Pair old(*context, client_.get());
  EXPECT_FALSE(old.Handshake());
  EXPECT_NE(old.channel->error().find("older versions of TLS"), std::string::npos) << old.channel->error();
  SSL_CTX_set_max_proto_version(client_.get(), TLS1_2_VERSION);
  Pair twelve(*context, client_.get());
  EXPECT_TRUE(twelve.Handshake());
  ServerFiles strict = files_.server();
  strict.oldest = Version::k13;
  const auto only13 = Load(strict);
  Pair refused(*only13, client_.get());
  EXPECT_FALSE(refused.Handshake());
}

TEST_F(ChannelTest, AReloadChangesWhatLaterConnectionsSee) {
  const auto context = Load(files_.server());
  Pair before(*context, client_.get());
  ASSERT_TRUE(before.Handshake());
  const auto subject = [](const SslHandle& ssl) {
    const Certificate shown(SSL_get1_peer_certificate(ssl.get()));
    char text[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, text, sizeof text);
    return std::string(text);
  };
  EXPECT_EQ(subject(before.ssl), "localhost");
  files_.Renew({"other.example"});
  Result<ServerContext::Prepared> renewed = ServerContext::Prepare(files_.server());
  ASSERT_TRUE(renewed.ok());
  Pair between(*context, client_.get());
  ASSERT_TRUE(between.Handshake());
  EXPECT_EQ(subject(between.ssl), "localhost") << "what is only prepared is not in force";
  context->Adopt(std::move(renewed).value());
  Pair after(*context, client_.get());
  ASSERT_TRUE(after.Handshake());
  EXPECT_EQ(subject(after.ssl), "other.example");
  // The one that was open goes on.
  char bytes[8];
  EXPECT_EQ(before.channel->Write("more").bytes, 4U);
  EXPECT_EQ(SSL_read(before.ssl.get(), bytes, sizeof bytes), 4);
  // What cannot be read leaves all as it was.
  std::ofstream(files_.key()) << "no key";
  const Result<ServerContext::Prepared> failed = ServerContext::Prepare(files_.server());
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message.find(files_.key()), std::string::npos) << failed.error().message;
  Pair still(*context, client_.get());
  EXPECT_TRUE(still.Handshake());
}

TEST_F(ChannelTest, FilesThatAreWrongAreNamed) {
  const ServerFiles good = files_.server();
  EXPECT_NE(ErrorOf({.certificate = "/nowhere/c.pem", .key = good.key}).find("/nowhere/c.pem"), std::string::npos);
  EXPECT_NE(ErrorOf({.certificate = good.certificate, .key = "/nowhere/k.pem"}).find("/nowhere/k.pem"),
            std::string::npos);
  const TestFiles other;
  EXPECT_NE(ErrorOf({.certificate = good.certificate, .key = other.key()}).find(other.key()), std::string::npos);
  ServerFiles authorities = good;
  authorities.client_authorities = good.key;
  EXPECT_NE(ErrorOf(authorities).find("authorities of clients"), std::string::npos);
}

TEST_F(ChannelTest, NamesOfAClientAreThoseOfACertificateThatIsBelieved) {
  const TestFiles agent({"agent.example", "192.0.2.7"});
  ServerFiles files = files_.server();
  files.client_authorities = agent.certificate();
  const auto context = Load(files);
  {
    Pair pair(*context, client_.get());  // shows none
    ASSERT_TRUE(pair.Handshake());
    EXPECT_TRUE(pair.channel->PeerNames().empty());
  }
  const TestFiles stranger({"agent.example"});
  ShowCertificate(stranger);
  {
    Pair pair(*context, client_.get());
    EXPECT_FALSE(pair.Handshake());
  }
  ShowCertificate(agent);
  Pair pair(*context, client_.get());
  ASSERT_TRUE(pair.Handshake());
  EXPECT_EQ(pair.channel->PeerNames(), (std::vector<std::string>{"dns:agent.example", "ip:192.0.2.7"}));
}

TEST(SelfSigned, RefusesWhatIsNoName) {
  const auto error_of = [](std::vector<std::string> names, int64_t days) {
    const auto made = MakeSelfSigned({.names = std::move(names), .begins_seconds = 0, .days = days});
    return made.ok() ? "" : made.error().message;
  };
  EXPECT_NE(error_of({}, 1), "");
  EXPECT_NE(error_of({"a,DNS:evil.example"}, 1).find("neither a host name nor an IP address"), std::string::npos);
  EXPECT_NE(error_of({"a"}, 0), "");
  EXPECT_NE(error_of({"a"}, 100'000), "");
  EXPECT_EQ(error_of({"a", "::1", "10.0.0.1", "*.example.org"}, 3'650), "");
}

}  // namespace
}  // namespace tidemark::tls
