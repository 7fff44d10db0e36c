#include "query/rules/template.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::query::rules {
namespace {

Result<std::vector<TemplateSample>> Answer(std::string_view query) {
  if (query == "nothing") return std::vector<TemplateSample>();
  if (query != "up") return InvalidArgument("no such query");
  return std::vector<TemplateSample>{{{{"__name__", "up"}, {"instance", "b"}}, 1},
                                     {{{"__name__", "up"}, {"instance", "a"}}, 0.5}};
}

std::string Expand(std::string_view text, double value) {
  const model::LabelViews labels = {{"instance", "db 1"}, {"job", "api"}, {"n", "2048"}};
  const Result<Template> parsed = Template::Parse(text);
  const TemplateContext context{.query = Answer, .now_ms = 1'700'000'000'000};
  return parsed.ok() ? parsed->Expand(labels, value, context) : "error: " + parsed.error().message;
}

TEST(Template, Expands) {
  EXPECT_EQ(Expand("plain", 1), "plain");
  EXPECT_EQ(Expand("{{ $labels.job }}/{{$labels.none}}/{{ .Labels.instance }}", 1), "api//db 1");
  EXPECT_EQ(Expand("{{ $value }} {{ .Value }}", 0.25), "0.25 0.25");
  EXPECT_EQ(Expand("{{ $value }} {{ $.Value }}", 1234567), "1.234567e+06 1.234567e+06");
  EXPECT_EQ(Expand("{{ $value | humanize }}", 1234567), "1.235M");
  EXPECT_EQ(Expand("{{ humanize $value }}", 0.00025), "250u");
  EXPECT_EQ(Expand("{{ $value | humanize1024 }}", 2048), "2ki");
  EXPECT_EQ(Expand("{{ $labels.n | humanize1024 }}B", 0), "2kiB");
  EXPECT_EQ(Expand("{{ $value | humanizePercentage }}", 0.1234), "12.34%");
  EXPECT_EQ(Expand("{{ $value | humanizeDuration }}", 3725), "1h 2m 5s");
  EXPECT_EQ(Expand("{{ $value | humanizeDuration }}", 0.05), "50ms");
  EXPECT_EQ(Expand("{{ $value | humanizeTimestamp }}", 1700000000), "2023-11-14 22:13:20 +0000 UTC");
  EXPECT_EQ(Expand("{{ $value | printf \"%.2f\" }}", 1.005), "1.00");
  EXPECT_EQ(Expand("{{ printf \"%.1f|\" $value }}", 2), "2.0|");
  EXPECT_EQ(Expand("{{ printf \"%s is %v, %d %% %q %t\" $labels.job $value 3 \"x\" true }}", 2),
            "api is 2, 3 % \"x\" true");
  EXPECT_EQ(Expand("{{ printf \"%d %s\" $value }}", 2), "%!d(float64=2) %!s(MISSING)");
  EXPECT_EQ(Expand("{{ $labels.job | toUpper | title }}", 2), "API");
}

TEST(Template, GivesUtf8WhateverItCuts) {
  EXPECT_EQ(Expand("{{ slice \"\u00E4\" 0 1 }}", 0), "\uFFFD");
  EXPECT_EQ(Expand("{{ slice \"x\u00E4y\" 2 }}", 0), "\uFFFDy");
  EXPECT_EQ(Expand("{{ \"\\xff\" }}\u00E4", 0), "\uFFFD\u00E4");
  // What fails says so in UTF-8 too, and the bound is one of what comes out.
  EXPECT_EQ(Expand("{{ template \"\\xff\" }}", 0).find('\xFF'), std::string::npos);
  const std::string bytes(400'000, '\xFF');
  EXPECT_EQ(Expand(bytes, 0), "<error expanding template: the text is longer than 1 MiB>");
}

TEST(Template, Decides) {
  constexpr std::string_view kText =
      "{{ if gt $value 0.9 }}high{{ else if ge $value 0.5 }}middle{{ else }}low{{ end }}";
  EXPECT_EQ(Expand(kText, 0.95), "high");
  EXPECT_EQ(Expand(kText, 0.5), "middle");
  EXPECT_EQ(Expand(kText, 0.1), "low");
  EXPECT_EQ(Expand("{{ if and (eq $labels.job \"x\" \"api\") (not $labels.none) }}yes{{ end }}", 0), "yes");
  EXPECT_EQ(Expand("{{ if or (lt $value 1.0) (ne $labels.job \"api\") }}yes{{ else }}no{{ end }}", 5), "no");
  EXPECT_EQ(Expand("{{ if match \"^d.*1$\" $labels.instance }}m{{ end }}", 0), "m");
  EXPECT_EQ(Expand("{{ with $labels.job }}<{{ . }}>{{ end }}{{ with $labels.none }}x{{ else }}-{{ end }}", 0),
            "<api>-");
}

TEST(Template, WalksThroughQueries) {
  EXPECT_EQ(Expand("{{ range query \"up\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}", 0), "b=1 a=0.5 ");
  EXPECT_EQ(
      Expand("{{ range $i, $s := query \"up\" | sortByLabel \"instance\" }}{{ $i }}:{{ $s.Labels.instance }}{{ end }}",
             0),
      "0:a1:b");
  EXPECT_EQ(Expand("{{ range query \"nothing\" }}x{{ else }}none{{ end }}", 0), "none");
  EXPECT_EQ(Expand("{{ with query \"up\" }}{{ . | first | value }} {{ label \"instance\" (first .) }}{{ end }}", 0),
            "1 b");
  EXPECT_EQ(Expand("{{ len (query \"up\") }} {{ (index (query \"up\") 1).Value }}", 0), "2 0.5");
  EXPECT_EQ(Expand("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", 0), "instance=db 1;job=api;n=2048;");
}

TEST(Template, KeepsVariablesAndTrims) {
  EXPECT_EQ(Expand("{{ $x := \"a\" }}{{ if true }}{{ $x = \"b\" }}{{ $y := 1 }}{{ $y }}{{ end }}{{ $x }}", 0), "1b");
  EXPECT_EQ(Expand("a  {{- $labels.job -}}  b {{/* said to nobody */}}c", 0), "aapib c");
  EXPECT_EQ(Expand("{{ `raw \\n` }}{{ \"}}\" }}", 0), "raw \\n}}");
}

TEST(Template, KnowsThePartsOfAddresses) {
  EXPECT_EQ(Expand("{{ stripPort \"host:80\" }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"host\" }}", 0),
            "host ::1 host");
  EXPECT_EQ(Expand("{{ stripDomain \"a.b.c:80\" }} {{ stripDomain \"10.0.0.1:80\" }}", 0), "a:80 10.0.0.1:80");
  EXPECT_EQ(Expand("{{ reReplaceAll \"(.*)-([0-9]+)\" \"${2}-$1\" \"web-12\" }}", 0), "12-web");
  EXPECT_EQ(Expand("{{ graphLink \"up == 0\" }}", 0), "/graph?g0.expr=up+%3D%3D+0&g0.tab=0");
  EXPECT_EQ(Expand("{{ parseDuration \"1h30m\" }} {{ now }}", 0), "5400 1.7e+09");
}

TEST(Template, KnowsWhereTheServerIsFound) {
  const Result<Template> text =
      Template::Parse("{{ externalURL }}{{ graphLink \"up\" }} {{ $externalURL }} {{ .ExternalURL }} {{ pathPrefix }}");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(text->Expand({}, 0, {.external_url = "https://m.example/tm"}),
            "https://m.example/tm/graph?g0.expr=up&g0.tab=0 https://m.example/tm https://m.example/tm /tm");
}

TEST(Template, TellsWhatWentWrongInItsText) {
  for (const auto& [text, words] :
       {std::pair{"{{ query \"bad\" }}", "no such query"}, std::pair{"{{ query \"nothing\" | first }}", "no elements"},
        std::pair{"{{ humanize \"x\" }}", "parsing \"x\": invalid syntax"},
        std::pair{"{{ gt $labels.job 1 }}", "error calling gt: incompatible types for comparison"},
        std::pair{"{{ index (query \"up\") 7 }}", "out of range"},
        std::pair{"{{ .Nope }}", "can't evaluate field Nope"},
        std::pair{"{{ match \"(\" \"x\" }}", "bad regular expression"},
        std::pair{"{{ range $value }}{{ end }}", "can't iterate"},
        std::pair{"{{ $value 1 }}", "can't give argument to non-function $value"},
        std::pair{"{{ $nope = 1 }}", "undefined variable: $nope"}}) {
    const std::string got = Expand(text, 1);
    EXPECT_TRUE(got.starts_with("<error expanding template: ")) << text << ": " << got;
    EXPECT_NE(got.find(words), std::string::npos) << text << ": " << got;
  }
}

TEST(Template, RefusesWhatItDoesNotKnow) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{{ if true }}";
  const std::string nested = "{{ " + std::string(1000, '(') + "1" + std::string(1000, ')') + " }}";
  for (const std::string& text :
       {std::string("{{ $x }}"), std::string("{{ $value"), std::string("{{ if gt $value 1 }}"),
        std::string("{{ end }}"), std::string("{{ $value | explode }}"), std::string("{{ }}"),
        std::string("{{ $value | 1 }}"), std::string("{{ \"open }}"), std::string("{{ (1 }}"),
        std::string("{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}"), std::string("{{ else }}"),
        std::string("{{ 1 2 $nope }}"), deep, nested}) {
    EXPECT_FALSE(Template::Parse(text).ok()) << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace tidemark::query::rules
