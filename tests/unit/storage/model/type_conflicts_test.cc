#include "storage/model/type_conflicts.h"

#include <gtest/gtest.h>

namespace tidemark::model {
namespace {

TEST(TypeConflictsTest, WhoMayNotSeeTheStoredTypeIsNotToldOfIt) {
  Error error = TypeConflict("cpu", "usage", FieldType::kString, FieldType::kFloat);
  EXPECT_EQ(error.message,
            R"(field type conflict: input field "usage" on measurement "cpu" is type string, already exists as type )"
            "float");
  HideStoredType(&error);
  EXPECT_EQ(
      error.message,
      R"(field type conflict: input field "usage" on measurement "cpu" is type string, already exists as another )"
      "type");
  // A name that looks like the end of the message is no end of it.
  error = TypeConflict("cpu", R"(x", already exists as type y)", FieldType::kString, FieldType::kBool);
  HideStoredType(&error);
  EXPECT_TRUE(error.message.contains(R"(x", already exists as type y)")) << error.message;
  EXPECT_FALSE(error.message.contains("bool")) << error.message;
}

TEST(TypeConflictsTest, OtherErrorsStay) {
  Error error = InvalidArgument("field type conflict: already exists as type float");
  HideStoredType(&error);
  EXPECT_EQ(error.message, "field type conflict: already exists as type float");
}

}  // namespace
}  // namespace tidemark::model
