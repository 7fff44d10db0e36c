#include "tools/server/access/token_book.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/tools/server/access/memory_documents.h"
#include "tools/server/access/session_book.h"

namespace tidemark::server::access {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000 * kSecondNs;

class TokenBookTest : public ::testing::Test {
 protected:
  TokenBook::Made Make(const std::string& name, Access access, const std::string& databases, int64_t expires_ns = 0) {
    Result<TokenBook::Made> made =
        tokens_.Make({.name = name, .grants = {{access, databases}}, .expires_ns = expires_ns}, "ada");
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
  }

  MemoryDocuments documents_;
  ManualClock clock_{kNow};
  TokenBook tokens_{&documents_, &clock_};
  SessionBook sessions_{&documents_, &tokens_, &clock_, {}};
};

TEST_F(TokenBookTest, FromTheFirstTokenOnTheyAreAskedForForGood) {
  EXPECT_FALSE(tokens_.on());
  const Result<TokenBook::Made> reader = tokens_.Make({.name = "r", .grants = {{Access::kRead, "*"}}}, "ada");
  ASSERT_FALSE(reader.ok());
  EXPECT_NE(reader.error().message.find("admin:*"), std::string::npos);
  EXPECT_FALSE(tokens_.on());
  Make("root", Access::kAdmin, "*");
  EXPECT_TRUE(tokens_.on());
  const Status last = tokens_.Revoke("root", false, "ada");
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().code, ErrorCode::kConflict);
  ASSERT_TRUE(tokens_.Revoke("root", true, "ada").ok());
  EXPECT_TRUE(tokens_.on());
  TokenBook again(&documents_, &clock_);
  ASSERT_TRUE(again.Load().ok());
  EXPECT_TRUE(again.on()) << "a restart without a token left must not open the server";
}

TEST_F(TokenBookTest, ASecretThatWasGoodIsJudgedAnewEachTime) {
  Make("root", Access::kAdmin, "*");
  const TokenBook::Made made = Make("agent", Access::kWrite, "a", kNow + 10 * kSecondNs);
  const auto first = tokens_.Find(made.secret);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(tokens_.Find(made.secret), first);
  EXPECT_EQ(tokens_.Find(made.secret + "x"), nullptr);
  // Another book knows nothing of it, and its own token of the same name is another.
  MemoryDocuments elsewhere;
  TokenBook other(&elsewhere, &clock_);
  EXPECT_EQ(other.Find(made.secret), nullptr);
  // The overlap of a rotation ends by the clock alone.
  const Result<TokenBook::Made> rotated = tokens_.Rotate("agent", 5 * kSecondNs, "ada");
  ASSERT_TRUE(rotated.ok());
  EXPECT_NE(tokens_.Find(made.secret), nullptr);
  EXPECT_NE(tokens_.Find(rotated->secret), nullptr);
  clock_.Advance(6 * kSecondNs);
  EXPECT_EQ(tokens_.Find(made.secret), nullptr);
  EXPECT_NE(tokens_.Find(rotated->secret), nullptr);
  ASSERT_TRUE(tokens_.Revoke("agent", false, "ada").ok());
  EXPECT_EQ(tokens_.Find(rotated->secret), nullptr);
  // Its successor of that name is not shown by the old one.
  Make("agent", Access::kRead, "b");
  EXPECT_EQ(tokens_.Find(rotated->secret), nullptr);
  EXPECT_EQ(tokens_.Find(made.secret), nullptr);
}

TEST_F(TokenBookTest, NoSecretIsStored) {
  const TokenBook::Made made = Make("root", Access::kAdmin, "*");
  EXPECT_TRUE(made.secret.starts_with(kTokenPrefix));
  EXPECT_EQ(made.secret.size(), kTokenPrefix.size() + 43);
  const Result<storage::Document> stored = documents_.Get(kTokenKind, "root");
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->bytes.find(made.secret.substr(kTokenPrefix.size())), std::string::npos);
  EXPECT_NE(Make("two", Access::kRead, "a").secret, made.secret);
}

TEST_F(TokenBookTest, ACertificateShowsOneToken) {
  Make("root", Access::kAdmin, "*");
  const auto make = [this](const std::string& name, std::vector<std::string> names) {
    return tokens_.Make({.name = name,
                         .grants = {{Access::kWrite, "a"}},
                         .expires_ns = kNow + 10 * kSecondNs,
                         .certificate_names = std::move(names)},
                        "ada");
  };
  ASSERT_TRUE(make("agent", {"dns:agent.example", "ip:192.0.2.1"}).ok());
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"agent.example"}, {"dns:"}, {"cn:agent"}, {"ip:agent"}, {"ip:192.0.2.1/24"}}) {
    const Result<TokenBook::Made> refused = make("bad", bad);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  const Result<TokenBook::Made> taken = make("thief", {"ip:192.0.2.1"});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(tokens_.FindCertificate({"dns:other"}), nullptr);
  const auto found = tokens_.FindCertificate({"dns:other", "ip:192.0.2.1"});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name(), "agent");
  // Names are told apart as certificates tell them.
  EXPECT_EQ(tokens_.FindCertificate({"dns:Agent.EXAMPLE"}), found);
  EXPECT_FALSE(make("thief", {"dns:AGENT.example"}).ok());
  ASSERT_TRUE(make("spelled", {"ip:2001:DB8:0:0::7", "email:Ada@Mail.EXAMPLE"}).ok());
  EXPECT_NE(tokens_.FindCertificate({"ip:2001:db8::7"}), nullptr);
  EXPECT_NE(tokens_.FindCertificate({"email:Ada@mail.example"}), nullptr);
  EXPECT_EQ(tokens_.FindCertificate({"email:ada@mail.example"}), nullptr) << "what is before the @ is its server's";
  EXPECT_TRUE(found->May(Access::kWrite, "a"));
  EXPECT_FALSE(found->May(Access::kRead, "a"));
  // Another secret changes nothing for who shows a certificate.
  ASSERT_TRUE(tokens_.Rotate("agent", 0, "ada").ok());
  EXPECT_FALSE(found->revoked());
  TokenBook again(&documents_, &clock_);
  ASSERT_TRUE(again.Load().ok());
  EXPECT_NE(again.FindCertificate({"dns:agent.example"}), nullptr);
  ASSERT_TRUE(tokens_.Revoke("agent", false, "ada").ok());
  EXPECT_TRUE(found->revoked());
  EXPECT_EQ(tokens_.FindCertificate({"dns:agent.example"}), nullptr);
  EXPECT_TRUE(make("heir", {"dns:agent.example"}).ok());
  const auto heir = tokens_.FindCertificate({"dns:agent.example"});
  ASSERT_NE(heir, nullptr);
  clock_.Advance(10 * kSecondNs);
  EXPECT_TRUE(heir->revoked());
}

TEST_F(TokenBookTest, IsFoundUntilItEndsOrIsRevoked) {
  const TokenBook::Made root = Make("root", Access::kAdmin, "*");
  const TokenBook::Made brief = Make("brief", Access::kRead, "a", kNow + 10 * kSecondNs);
  EXPECT_EQ(tokens_.Find(root.secret)->name(), "root");
  EXPECT_EQ(tokens_.Find(root.secret + "x"), nullptr);
  EXPECT_EQ(tokens_.Find(""), nullptr);
  const std::shared_ptr<const Principal> held = tokens_.Find(brief.secret);
  ASSERT_NE(held, nullptr);
  clock_.Advance(10 * kSecondNs);
  EXPECT_EQ(tokens_.Find(brief.secret), nullptr);
  EXPECT_TRUE(held->revoked()) << "a reply that is being sent must see it";
  const TokenBook::Made other = Make("other", Access::kWrite, "a");
  const std::shared_ptr<const Principal> writing = tokens_.Find(other.secret);
  ASSERT_TRUE(tokens_.Revoke("other", false, "ada").ok());
  EXPECT_TRUE(writing->revoked());
  EXPECT_EQ(tokens_.Find(other.secret), nullptr);
  EXPECT_EQ(tokens_.Revoke("other", false, "ada").error().code, ErrorCode::kNotFound);
}

TEST_F(TokenBookTest, RotationLeavesBothSecretsGoodForTheOverlap) {
  const TokenBook::Made first = Make("root", Access::kAdmin, "*");
  const std::shared_ptr<const Principal> held = tokens_.Find(first.secret);
  const Result<TokenBook::Made> second = tokens_.Rotate("root", 60 * kSecondNs, "ada");
  ASSERT_TRUE(second.ok());
  EXPECT_NE(tokens_.Find(first.secret), nullptr);
  EXPECT_NE(tokens_.Find(second->secret), nullptr);
  EXPECT_FALSE(held->revoked());
  clock_.Advance(60 * kSecondNs);
  EXPECT_EQ(tokens_.Find(first.secret), nullptr);
  EXPECT_TRUE(held->revoked());
  EXPECT_NE(tokens_.Find(second->secret), nullptr);
  // Without an overlap the old one ends at once; and two rotations in a row leave no third one behind.
  const Result<TokenBook::Made> third = tokens_.Rotate("root", 60 * kSecondNs, "ada");
  const Result<TokenBook::Made> fourth = tokens_.Rotate("root", 0, "ada");
  ASSERT_TRUE(third.ok() && fourth.ok());
  EXPECT_EQ(tokens_.Find(second->secret), nullptr);
  EXPECT_EQ(tokens_.Find(third->secret), nullptr);
  EXPECT_NE(tokens_.Find(fourth->secret), nullptr);
}

TEST_F(TokenBookTest, ARestartKnowsThemAll) {
  const TokenBook::Made root = Make("root", Access::kAdmin, "*");
  const Result<TokenBook::Made> rotated = tokens_.Rotate("root", 60 * kSecondNs, "ada");
  const Result<SessionBook::Opened> session = sessions_.Open(rotated->secret, false, "127.0.0.1:1", "browser");
  ASSERT_TRUE(session.ok());
  TokenBook again(&documents_, &clock_);
  ASSERT_TRUE(again.Load().ok());
  EXPECT_NE(again.Find(root.secret), nullptr);
  EXPECT_NE(again.Find(rotated->secret), nullptr);
  EXPECT_EQ(again.List().size(), 1U);
  SessionBook sessions(&documents_, &again, &clock_, {});
  ASSERT_TRUE(sessions.Load().ok());
  const auto caller = sessions.Find(session->secret);
  ASSERT_NE(caller, nullptr);
  EXPECT_EQ(caller->forgery_value(), session->caller->forgery_value());
  EXPECT_TRUE(caller->MayEverywhere(Access::kAdmin));
}

TEST_F(TokenBookTest, AChangeThatIsNotStoredIsNotInForce) {
  const TokenBook::Made root = Make("root", Access::kAdmin, "*");
  documents_.fail_with = MakeError(ErrorCode::kUnavailable, "full");
  EXPECT_FALSE(tokens_.Make({.name = "x", .grants = {{Access::kRead, "a"}}}, "ada").ok());
  EXPECT_FALSE(tokens_.Rotate("root", 0, "ada").ok());
  EXPECT_FALSE(tokens_.Revoke("root", true, "ada").ok());
  EXPECT_NE(tokens_.Find(root.secret), nullptr);
  EXPECT_EQ(tokens_.List().size(), 1U);
}

TEST_F(TokenBookTest, ASessionEndsWithItsToken) {
  Make("root", Access::kAdmin, "*");
  const TokenBook::Made reader = Make("reader", Access::kRead, "a");
  const Result<SessionBook::Opened> session = sessions_.Open(reader.secret, false, "p", "b");
  ASSERT_TRUE(session.ok());
  ASSERT_NE(sessions_.Find(session->secret), nullptr);
  ASSERT_TRUE(tokens_.Revoke("reader", false, "ada").ok());
  EXPECT_EQ(sessions_.Find(session->secret), nullptr);
  EXPECT_TRUE(session->caller->revoked());
  EXPECT_TRUE(sessions_.List().empty());
}

TEST_F(TokenBookTest, ASessionEndsWhenItIsRevokedOrItsTimeIsOver) {
  const TokenBook::Made root = Make("root", Access::kAdmin, "*");
  const Result<SessionBook::Opened> one = sessions_.Open(root.secret, false, "p", "b");
  const Result<SessionBook::Opened> two = sessions_.Open(root.secret, false, "p", "b");
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_TRUE(sessions_.Revoke(one->caller->info().id, "ada").ok());
  EXPECT_EQ(sessions_.Find(one->secret), nullptr);
  EXPECT_NE(sessions_.Find(two->secret), nullptr);
  clock_.Advance(SessionOptions().lifetime_ns);
  EXPECT_EQ(sessions_.Find(two->secret), nullptr);
}

TEST_F(TokenBookTest, AKioskMayOnlyRead) {
  const TokenBook::Made root = Make("root", Access::kAdmin, "*");
  const TokenBook::Made reader = Make("wall", Access::kRead, "*");
  EXPECT_EQ(sessions_.Open(root.secret, true, "p", "b").error().code, ErrorCode::kInvalidArgument);
  const Result<SessionBook::Opened> kiosk = sessions_.Open(reader.secret, true, "p", "b");
  ASSERT_TRUE(kiosk.ok());
  clock_.Advance(30 * 86'400 * kSecondNs);
  EXPECT_NE(sessions_.Find(kiosk->secret), nullptr);
}

TEST_F(TokenBookTest, BadNamesAndGrantsAreRefused) {
  Make("root", Access::kAdmin, "*");
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"), std::string(65, 'a')}) {
    EXPECT_FALSE(tokens_.Make({.name = name, .grants = {{Access::kRead, "a"}}}, "ada").ok()) << name;
  }
  EXPECT_FALSE(tokens_.Make({.name = "x", .grants = {}}, "ada").ok());
  EXPECT_FALSE(tokens_.Make({.name = "x", .grants = {{Access::kRead, "a"}}, .expires_ns = kNow}, "ada").ok());
  EXPECT_EQ(tokens_.Make({.name = "root", .grants = {{Access::kRead, "a"}}}, "ada").error().code,
            ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace tidemark::server::access
