#include "storage/database/definition_ledger.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/model/batch.h"

namespace tidemark::storage {
namespace {

using Verdict = database::DefinitionLedger::Verdict;

class DefinitionLedgerTest : public ::testing::Test {
 protected:
  // Makes the index define something.
  void Define(std::string_view measurement) {
    model::Shape shape;
    shape.measurement = measurement;
    shape.fields.push_back({"f", model::FieldType::kFloat});
    ASSERT_TRUE(index_->ResolveShape(shape).ok());
  }

  std::unique_ptr<index::Index> index_ = index::Index::Create({});
  database::DefinitionLedger ledger_{index_.get()};
};

TEST_F(DefinitionLedgerTest, RecordsThatReachTheDiskAreAcknowledged) {
  Define("a");
  EXPECT_FALSE(ledger_.Begin(1).empty());
  EXPECT_TRUE(ledger_.Begin(2).empty());
  EXPECT_EQ(ledger_.Settle(1, true), Verdict::kAcknowledge);
  EXPECT_EQ(ledger_.Settle(2, true), Verdict::kAcknowledge);
}

TEST_F(DefinitionLedgerTest, AFailedRecordTakesLaterOnesWithIt) {
  Define("a");
  const std::string a = ledger_.Begin(1);
  Define("b");
  const std::string b = ledger_.Begin(2);
  EXPECT_TRUE(ledger_.Begin(3).empty());
  EXPECT_EQ(ledger_.Settle(1, false), Verdict::kFailed);
  EXPECT_EQ(ledger_.Settle(3, true), Verdict::kAppendAgain);
  EXPECT_EQ(ledger_.Settle(2, true), Verdict::kAppendAgain);
  // The next record has the names of both, in order.
  EXPECT_EQ(ledger_.Begin(4), a + b);
  EXPECT_EQ(ledger_.Settle(4, true), Verdict::kAcknowledge);
}

TEST_F(DefinitionLedgerTest, AnEarlierRecordIsUntouchedByALaterFailure) {
  Define("a");
  ledger_.Begin(1);
  Define("b");
  ledger_.Begin(2);
  EXPECT_EQ(ledger_.Settle(2, false), Verdict::kFailed);
  EXPECT_EQ(ledger_.Settle(1, true), Verdict::kAcknowledge);
}

TEST_F(DefinitionLedgerTest, AFailureWithoutDefinitionsHarmsNobody) {
  ledger_.Begin(1);
  ledger_.Begin(2);
  EXPECT_EQ(ledger_.Settle(1, false), Verdict::kFailed);
  EXPECT_EQ(ledger_.Settle(2, true), Verdict::kAcknowledge);
}

TEST_F(DefinitionLedgerTest, ALaterRecordWaitsForDefinitionsBeforeIt) {
  Define("a");
  ledger_.Begin(1);
  ledger_.Begin(2);
  Verdict later{};
  std::thread waiting([&] { later = ledger_.Settle(2, true); });
  EXPECT_EQ(ledger_.Settle(1, false), Verdict::kFailed);
  waiting.join();
  EXPECT_EQ(later, Verdict::kAppendAgain);
}

}  // namespace
}  // namespace tidemark::storage
