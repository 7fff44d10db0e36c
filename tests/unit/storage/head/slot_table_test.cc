// Numbers by position: what is set is there, and what lies between costs nothing.
#include "storage/head/slot_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/test_seed.h"

namespace tidemark::head {
namespace {

TEST(SlotTableTest, WhatIsSetIsThere) {
  std::mt19937_64 random(TestSeed());
  for (const size_t range : {size_t{10}, size_t{5'000}, size_t{3'000'000}}) {
    SlotTable table;
    std::map<size_t, uint32_t> model;
    for (uint32_t i = 1; i <= 2'000; ++i) {
      const size_t position = random() % range;
      table.Set(position, i);
      model[position] = i;
    }
    for (const auto& [position, number] : model) ASSERT_EQ(table.Get(position), number);
    for (int i = 0; i < 2'000; ++i) {
      const size_t position = random() % (2 * range);
      const auto known = model.find(position);
      ASSERT_EQ(table.Get(position), known == model.end() ? 0 : known->second);
    }
  }
}

TEST(SlotTableTest, AHighPositionCostsNothing) {
  SlotTable table;
  table.Set(3, 1);
  table.Set(1'000'000'000, 2);
  EXPECT_EQ(table.Get(3), 1U);
  EXPECT_EQ(table.Get(1'000'000'000), 2U);
  EXPECT_EQ(table.Get(999'999'999), 0U);
  EXPECT_LT(table.bytes(), 200'000U);
}

TEST(SlotTableTest, ADenseTableCostsWhatItHolds) {
  SlotTable table;
  for (uint32_t i = 0; i < 1'000'000; ++i) table.Set(i, i + 1);
  EXPECT_LT(table.bytes(), 4'100'000U);
  for (uint32_t i = 0; i < 1'000'000; ++i) ASSERT_EQ(table.Get(i), i + 1);
}

}  // namespace
}  // namespace tidemark::head
