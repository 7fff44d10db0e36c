#include "storage/base/yaml_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temp_directory.h"

namespace tidemark {
namespace {

struct Recipe {
  std::string name;
  std::vector<std::string> steps;
};

Result<Recipe> ReadRecipe(std::string_view text) {
  YamlReader reader("r.yml");
  return reader.Read(text, [&](const YAML::Node& root) {
    Recipe recipe;
    if (!reader.CheckMap(root, "a recipe", {"name", "steps"})) return recipe;
    recipe.name = reader.Text(root, "name", YamlReader::Need::kRequired);
    for (const YAML::Node& step : reader.List(root, "steps")) {
      if (reader.CheckMap(step, "a step", {"do"})) recipe.steps.push_back(reader.Text(step, "do"));
    }
    return recipe;
  });
}

TEST(YamlReader, ReadsWhatIsThere) {
  const auto recipe = ReadRecipe("name: soup\nsteps:\n  - {do: boil}\n  - {do: }\n  - {}\n");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message;
  EXPECT_EQ(recipe->name, "soup");
  EXPECT_EQ(recipe->steps, (std::vector<std::string>{"boil", "", ""}));
  EXPECT_TRUE(ReadRecipe("name: a\nsteps:\n")->steps.empty());
}

TEST(YamlReader, TellsAllFaultsWithTheirPlaces) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "r.yml:1:1: a recipe must be a map"},
      {"{}", "r.yml:1:1: name is missing"},
      {"name:\n", "r.yml:1:1: name is missing"},
      {"name: ''\n", "r.yml:1:7: name is missing"},
      {"name: [a]\n", "r.yml:1:7: name must be a text"},
      {"name: a\nsteps: 5\n", "r.yml:2:8: steps must be a list"},
      {"name: a\nsteps: [x, {do: y}, {does: z}]\n",
       "r.yml:2:9: a step must be a map\nr.yml:2:22: unknown key \"does\" in a step"},
      {"name: a\nname: b\n", "r.yml:2:1: key \"name\" is given twice in a recipe"},
      {"name: a\n? [x]\n: b\n", "r.yml:2:3: unknown key \"\" in a recipe"},
  };
  for (const auto& [text, faults] : cases) {
    const auto recipe = ReadRecipe(text);
    ASSERT_FALSE(recipe.ok()) << text;
    EXPECT_EQ(recipe.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(recipe.error().message, faults) << text;
  }
}

TEST(YamlReader, WhatIsNoYamlIsAFaultToo) {
  for (const std::string& text : {std::string("name: {"), std::string("a: b: c"), std::string(100'000, '['),
                                  std::string("*nothing"), std::string("name: \"\\q\"")}) {
    const auto recipe = ReadRecipe(text);
    ASSERT_FALSE(recipe.ok()) << text.substr(0, 20);
    EXPECT_TRUE(recipe.error().message.starts_with("r.yml:1:")) << recipe.error().message;
  }
}

TEST(YamlReader, TellsWhereTextIsNoUtf8) {
  const std::pair<const char*, const char*> cases[] = {
      {"\xFF", "r.yml:1:1: byte 0xFF is not valid UTF-8; save the file as UTF-8"},
      {"name: \"\xE4\"\n", "r.yml:1:8: byte 0xE4 is not valid UTF-8; save the file as UTF-8"},
      // Columns are those of other faults: the \xC3\xA4 before counts as yaml-cpp counts it.
      {"name: a\nsteps: [{do: \"\xC3\xA4\"}, {do: \xC3}]\n",
       "r.yml:2:26: byte 0xC3 is not valid UTF-8; save the file as UTF-8"},
      {"name: a\nsteps: [{do: \"\xC3\xA4\"}, {so: b}]\n", "r.yml:2:22: unknown key \"so\" in a step"},
      {"name: a\n# \x80\n", "r.yml:2:3: byte 0x80 is not valid UTF-8; save the file as UTF-8"},
  };
  for (const auto& [text, fault] : cases) {
    const auto recipe = ReadRecipe(text);
    ASSERT_FALSE(recipe.ok()) << text;
    EXPECT_EQ(recipe.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(recipe.error().message, fault) << text;
  }
  EXPECT_EQ(ReadRecipe("name: \"\xC3\xA4\\xFF\"")->name, "\xC3\xA4\xC3\xBF");
  EXPECT_EQ(ReadRecipe("\xEF\xBB\xBFname: a")->name, "a");
  // UTF-16 is YAML too.
  constexpr std::string_view kUtf16("\xFF\xFEn\0a\0m\0e\0:\0 \0\xE4\0", 16);
  EXPECT_EQ(ReadRecipe(kUtf16)->name, "\xC3\xA4");
}

TEST(ReadTextFile, BoundsAndErrors) {
  const TempDirectory directory;
  const std::string path = directory.Below("file");
  const std::string text(100'000, 'x');
  std::ofstream(path) << text;
  EXPECT_EQ(ReadTextFile(path, text.size()).value(), text);
  EXPECT_EQ(ReadTextFile(path, text.size() - 1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(ReadTextFile(path, 0).error().code, ErrorCode::kLimitExceeded);
  // A device without an end is not read for ever.
  EXPECT_EQ(ReadTextFile("/dev/zero", text.size()).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(ReadTextFile("/dev/null", 0).value(), "");
  std::filesystem::remove(path);
  EXPECT_EQ(ReadTextFile(path, text.size()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadTextFile("/", text.size()).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace tidemark
