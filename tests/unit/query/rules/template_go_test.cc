// Templates beside Prometheus': every answer here is that of `promtool test rules` 2.42 on a rule with the text as its
// annotation, over m{instance="db 1",job="api",n="2048"}; whether a text is refused is the verdict of `promtool check
// rules`.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "query/rules/template.h"

namespace tidemark::query::rules {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// clang-format off
struct Row {
  const char* text;
  double value;
  // "!refused": when the file is loaded; "!error": the text says what went wrong.
  const char* want;
};
constexpr Row kRows[] = {
    {R"~({{ printf "%q %x %X %T" "a\"b" "hi" "hi" "s" }})~", 1, R"~("a\"b" 6869 6869 string)~"},
    {R"~({{ printf "%T %T %T %T %T" $value 1 true $labels (query "up") }})~", 1, R"~(float64 int bool map[string]string template.queryResult)~"},
    {R"~({{ printf "%d %5d|%-5d|%05d %+d %x %X %o %b %c %U %q" 42 42 42 42 42 255 255 8 5 65 233 65 }})~", 1, R"~(42    42|42   |00042 +42 ff FF 10 101 A U+00E9 'A')~"},
    {R"~({{ printf "%#x %#o %O % d %#X" 255 8 8 7 255 }})~", 1, R"~(0xff 010 0o10  7 0XFF)~"},
    {R"~({{ printf "%s %v %d" "a" }})~", 1, R"~(a %!v(MISSING) %!d(MISSING))~"},
    {R"~({{ printf "%s" "a" "b" 3 }})~", 1, R"~(a%!(EXTRA string=b, int=3))~"},
    {R"~({{ printf "%!" }})~", 1, R"~(%!!(MISSING))~"},
    {R"~({{ printf "%" }})~", 1, R"~(%!(NOVERB))~"},
    {R"~({{ printf "100%%" }})~", 1, R"~(100%)~"},
    {R"~({{ printf "%z" 1 }})~", 1, R"~(%!z(int=1))~"},
    {R"~({{ printf "%d %s" "a" 1 }})~", 1, R"~(%!d(string=a) %!s(int=1))~"},
    {R"~({{ printf "%d" $value }})~", 1, R"~(%!d(float64=1))~"},
    {R"~({{ printf "%d" 1e3 }})~", 1, R"~(%!d(float64=1000))~"},
    {R"~({{ printf "%5.1f|%-8.2f|%08.3f|%+.1f|%e|%E|%g|%G|%.3g" 3.14159 3.14159 3.14159 3.14159 31415.9 31415.9 31415.9 1e21 31415.9 }})~", 1, R"~(  3.1|3.14    |0003.142|+3.1|3.141590e+04|3.141590E+04|31415.9|1E+21|3.14e+04)~"},
    {R"~({{ printf "%x %X" 1.5 -0.25 }})~", 1, R"~(0x1.8p+00 -0X1P-02)~"},
    {R"~({{ printf "%6s|%-6s|%.2s|%06s" "abc" "abc" "abc" "abc" }})~", 1, R"~(   abc|abc   |ab|000abc)~"},
    {R"~({{ printf "%6s|%-6s|%.2s" "öäü" "öäü" "öäü" }})~", 1, R"~(   öäü|öäü   |öä)~"},
    {R"~({{ printf "% x %#x %# x" "abc" "abc" "abc" }})~", 1, R"~(61 62 63 0x616263 0x61 0x62 0x63)~"},
    {R"~({{ printf "%t %v %5t|" true false true }})~", 1, R"~(true false  true|)~"},
    {R"~({{ printf "%t" 1 }})~", 1, R"~(%!t(int=1))~"},
    {R"~({{ printf "%v %s %d" $labels $labels $labels }})~", 1, R"~(map[__name__:m instance:db 1 job:api n:2048] map[__name__:m instance:db 1 job:api n:2048] map[%!d(string=__name__):%!d(string=m) %!d(string=instance):%!d(string=db 1) %!d(string=job):%!d(string=api) %!d(string=n):%!d(string=2048)])~"},
    {R"~({{ printf "%[2]s %[1]s" "a" "b" }})~", 1, R"~(b a)~"},
    {R"~({{ printf "%[3]s" "a" }})~", 1, R"~(%!s(BADINDEX))~"},
    {R"~({{ printf "%*d|%-*d|%.*f" 5 42 5 42 2 3.14159 }})~", 1, R"~(   42|42   |3.14)~"},
    {R"~({{ printf "%*d" "a" 1 }})~", 1, R"~(%!(BADWIDTH)1)~"},
    {R"~({{ printf "%q" "é\n\x01" }})~", 1, R"~("é\n\x01")~"},
    {R"~({{ printf "%+q %#q" "é" "a" }})~", 1, R"~("\u00e9" `a`)~"},
    {R"~({{ printf "%q" 'x' }})~", 1, R"~('x')~"},
    {R"~({{ printf "%v %v" nil 1 }})~", 1, R"~(<nil> 1)~"},
    {R"~({{ printf "%d" nil }})~", 1, R"~(%!d(<nil>))~"},
    {R"~({{ print 1 2 "a" "b" 3 4.5 true nil }})~", 1, R"~(1 2ab3 4.5 true <nil>)~"},
    {R"~({{ print "a" "b" }})~", 1, R"~(ab)~"},
    {R"~({{ print 1 1 }})~", 1, R"~(1 1)~"},
    {R"~({{ println "a" 1 "b" }})~", 1, R"~(a 1 b
)~"},
    {R"~({{ println }})~", 1, R"~(
)~"},
    {R"~({{ print }})~", 1, R"~()~"},
    {R"~({{ html "<a href='x'>\"&\"</a>" }})~", 1, R"~(&lt;a href=&#39;x&#39;&gt;&#34;&amp;&#34;&lt;/a&gt;)~"},
    {R"~({{ html 1 "<" }})~", 1, R"~(1&lt;)~"},
    {R"~({{ js "it's <b> \"x\" = \n" }})~", 1, R"~(it\'s \u003Cb\u003E \"x\" \u003D \u000A)~"},
    {R"~({{ urlquery "a b&c=d/e?ü" }})~", 1, R"~(a+b%26c%3Dd%2Fe%3F%C3%BC)~"},
    {R"~({{ urlquery "a" 1 }})~", 1, R"~(a1)~"},
    {R"~({{ slice "abcdef" 1 3 }})~", 1, R"~(bc)~"},
    {R"~({{ slice "abcdef" 2 }})~", 1, R"~(cdef)~"},
    {R"~({{ slice "abcdef" }})~", 1, R"~(abcdef)~"},
    {R"~({{ slice "abc" 2 9 }})~", 1, R"~(!error)~"},
    {R"~({{ slice "abc" 2 1 }})~", 1, R"~(!error)~"},
    {R"~({{ slice (query "up") 1 | len }})~", 1, R"~(1)~"},
    {R"~({{ index "abc" 1 }})~", 1, R"~(98)~"},
    {R"~({{ index $labels "job" }})~", 1, R"~(api)~"},
    {R"~({{ index $labels "none" }})~", 1, R"~()~"},
    {R"~({{ index (query "up") 0 | value }})~", 1, R"~(1)~"},
    {R"~({{ index (query "up") 5 }})~", 1, R"~(!error)~"},
    {R"~({{ len "äb" }} {{ len $labels }} {{ len (query "up") }})~", 1, R"~(3 4 2)~"},
    {R"~({{ len 1 }})~", 1, R"~(!error)~"},
    {R"~({{ 0x1F }} {{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 017 }} {{ 1e3 }} {{ 1e6 }} {{ 'a' }} {{ '\n' }} {{ '\u00e9' }} {{ -3 }} {{ +3 }} {{ 1.50 }} {{ .5 }} {{ 0x1p-2 }})~", 1, R"~(31 1000 3 15 15 1000 1e+06 97 10 233 -3 3 1.5 0.5 0.25)~"},
    {R"~({{ 1__0 }})~", 1, R"~(!refused)~"},
    {R"~({{ 0x }})~", 1, R"~(!refused)~"},
    {R"~({{ 09 }})~", 1, R"~(!refused)~"},
    {R"~({{ 1x }})~", 1, R"~(!refused)~"},
    {R"~({{ 9223372036854775808 }})~", 1, R"~(!error)~"},
    {R"~({{ "\u00e9\x41\t\\\"\101\U0001F600" }})~", 1, "éA\t\\\"A😀"},
    {R"~({{ "\q" }})~", 1, R"~(!refused)~"},
    {R"~({{ `raw\n` }})~", 1, R"~(raw\n)~"},
    {R"~({{ "a'b" }})~", 1, R"~(a'b)~"},
    {R"~({{ "\'" }})~", 1, R"~(!refused)~"},
    {R"~({{ 'ab' }})~", 1, R"~(!refused)~"},
    {R"~({{ "hello-world foo_bar öl 3rd x.y it's" | title }})~", 1, R"~(Hello-World Foo_bar Öl 3rd X.Y It'S)~"},
    {R"~({{ "ünïcödé ß ǆ Straße" | toUpper }})~", 1, R"~(ÜNÏCÖDÉ ß Ǆ STRAßE)~"},
    {R"~({{ "ÜNÏ ΑΒΓ ЖЗ" | toLower }})~", 1, R"~(ünï αβγ жз)~"},
    {R"~({{ "ßa ǆa éa" | title }})~", 1, R"~(ßa ǅa Éa)~"},
    {R"~({{ reReplaceAll "(.*)-([0-9]+)" "${2}-$1" "web-12" }})~", 1, R"~(12-web)~"},
    {R"~({{ reReplaceAll "(a)(b)" "$1_x" "ab" }})~", 1, R"~()~"},
    {R"~({{ reReplaceAll "(a)(b)" "${1}_x" "ab" }})~", 1, R"~(a_x)~"},
    {R"~({{ reReplaceAll "(?P<name>a)" "${name}$name-" "ab" }})~", 1, R"~(aa-b)~"},
    {R"~({{ reReplaceAll "(a)" "$$1" "ab" }})~", 1, R"~($1b)~"},
    {R"~({{ reReplaceAll "(a)" "$10 $0 $2" "ab" }})~", 1, R"~( a b)~"},
    {R"~({{ reReplaceAll "(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)" "$10" "123456789a" }})~", 1, R"~(a)~"},
    {R"~({{ reReplaceAll "x*" "-" "abc" }})~", 1, R"~(-a-b-c-)~"},
    {R"~({{ reReplaceAll "b*" "-" "abbc" }})~", 1, R"~(-a-c-)~"},
    {R"~({{ reReplaceAll "" "-" "äb" }})~", 1, R"~(-ä-b-)~"},
    {R"~({{ reReplaceAll "a" "\\" "abc" }})~", 1, R"~(\bc)~"},
    {R"~({{ reReplaceAll "a" "${" "abc" }})~", 1, R"~(${bc)~"},
    {R"~({{ reReplaceAll "a" "${x" "abc" }})~", 1, R"~(${xbc)~"},
    {R"~({{ reReplaceAll "(" "x" "abc" }})~", 1, R"~(!error)~"},
    {R"~({{ stripPort "host:80" }} {{ stripPort "[::1]:80" }} {{ stripPort "host" }} {{ stripPort "::1" }} {{ stripPort "a:b:c" }} {{ stripPort "host:" }} {{ stripPort ":80" }})~", 1, R"~(host ::1 host ::1 a:b:c host )~"},
    {R"~({{ stripDomain "a.b.c:80" }} {{ stripDomain "10.0.0.1:80" }} {{ stripDomain "a.b" }} {{ stripDomain "10.0.0.1" }} {{ stripDomain "[::1]:80" }} {{ stripDomain "::1" }} {{ stripDomain "a.b:" }} {{ stripDomain ".a" }} {{ stripDomain "" }})~", 1, R"~(a:80 10.0.0.1:80 a 10.0.0.1 [::1]:80 ::1 a  )~"},
    {R"~({{ humanize 0.0 }} {{ humanize 1234567.0 }} {{ humanize -0.00025 }} {{ humanize 999.95 }} {{ humanize 1e30 }} {{ humanize "1e3" }} {{ humanize 5 }})~", 1, R"~(0 1.235M -250u 1000 1e+06Y 1k 5)~"},
    {R"~({{ humanize1024 1024.0 }} {{ humanize1024 1 }} {{ humanize1024 0.5 }} {{ humanize1024 -2097152.0 }})~", 1, R"~(1ki 1 0.5 -2Mi)~"},
    {R"~({{ humanizePercentage 0.1234 }} {{ humanizePercentage 1 }} {{ humanizePercentage "0.5" }})~", 1, R"~(12.34% 100% 50%)~"},
    {R"~({{ humanizeDuration 0.0 }} {{ humanizeDuration 59.94 }} {{ humanizeDuration 60.0 }} {{ humanizeDuration 3725.9 }} {{ humanizeDuration -90061.5 }} {{ humanizeDuration 0.0123 }} {{ humanizeDuration 1e15 }} {{ humanizeDuration "90" }})~", 1, R"~(0s 59.94s 1m 0s 1h 2m 5s -1d 1h 1m 1s 12.3ms 11574074074d 1h 46m 40s 1m 30s)~"},
    {R"~({{ humanizeTimestamp 1700000000.123 }} {{ humanizeTimestamp 0.0 }} {{ humanizeTimestamp -1.5 }} {{ humanizeTimestamp 1700000000 }} {{ humanizeTimestamp 1e9 }})~", 1, R"~(2023-11-14 22:13:20.122 +0000 UTC 1970-01-01 00:00:00 +0000 UTC 1969-12-31 23:59:58.5 +0000 UTC 2023-11-14 22:13:20 +0000 UTC 2001-09-09 01:46:40 +0000 UTC)~"},
    {R"~({{ humanizeTimestamp 1e12 }})~", 1, R"~(!error)~"},
    {R"~({{ humanize "x" }})~", 1, R"~(!error)~"},
    {R"~({{ humanize true }})~", 1, R"~(!error)~"},
    {R"~({{ toTime 1700000000.5 }})~", 1, R"~(2023-11-14 22:13:20.5 +0000 UTC)~"},
    {R"~({{ (toTime 1700000000.5).Format "2006-01-02 15:04:05.000 Mon Jan _2 3:04PM" }})~", 1, R"~(2023-11-14 22:13:20.500 Tue Nov 14 10:13PM)~"},
    {R"~({{ (toTime 1700000000.5).Unix }})~", 1, R"~(1700000000)~"},
    {R"~({{ (toTime 1700000000).Year }})~", 1, R"~(2023)~"},
    {R"~({{ strvalue (first (query "up")) }})~", 1, R"~()~"},
    {R"~({{ define "x" }}<{{ . }}>{{ end }}{{ template "x" $value }}{{ template "x" "a" }})~", 1, R"~(<1><a>)~"},
    {R"~({{ define "x" }}<{{ .Labels.job }}>{{ end }}{{ template "x" . }})~", 1, R"~(<api>)~"},
    {R"~({{ define "x" }}{{ $labels.job }}{{ end }}{{ template "x" . }})~", 1, R"~(!refused)~"},
    {R"~({{ template "nope" }})~", 1, R"~(!error)~"},
    {R"~({{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }})~", 1, R"~(!error)~"},
    {R"~({{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }}{{ template "x" }})~", 1, R"~(!refused)~"},
    {R"~({{ block "b" $value }}[{{ . }}]{{ end }})~", 1, R"~([1])~"},
    {R"~({{ define "x" }}a{{ end }}x)~", 1, R"~(x)~"},
    {R"~({{ if true }}{{ define "x" }}a{{ end }}{{ end }})~", 1, R"~(!refused)~"},
    {R"~({{ range query "up" }}{{ if eq .Labels.instance "a" }}{{ break }}{{ end }}{{ .Labels.instance }}{{ end }})~", 1, R"~(b)~"},
    {R"~({{ range query "up" }}{{ if eq .Labels.instance "b" }}{{ continue }}{{ end }}{{ .Labels.instance }}{{ end }})~", 1, R"~(a)~"},
    {R"~({{ break }})~", 1, R"~(!refused)~"},
    {R"~({{ range $i, $s := query "up" | sortByLabel "instance" }}{{ $i }}:{{ $s.Labels.instance }}={{ $s.Value }} {{ end }})~", 1, R"~(0:a=0.5 1:b=1 )~"},
    {R"~({{ range $labels }}{{ . }},{{ end }})~", 1, R"~(m,db 1,api,2048,)~"},
    {R"~({{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }})~", 1, R"~(__name__=m;instance=db 1;job=api;n=2048;)~"},
    {R"~({{ range 3 }}x{{ end }})~", 1, R"~(!error)~"},
    {R"~({{ range query "nothing" }}x{{ else }}none{{ end }})~", 1, R"~(none)~"},
    {R"~({{ with $labels.job }}<{{ . }}>{{ end }}{{ with $labels.none }}x{{ else }}-{{ end }})~", 1, R"~(<api>-)~"},
    {R"~({{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }})~", 1, R"~(2)~"},
    {R"~({{ $x := 1 }}{{ range $i, $_ := query "up" }}{{ $x = $i }}{{ end }}{{ $x }})~", 1, R"~(1)~"},
    {R"~({{ if and true $labels.job }}y{{ end }}{{ and 1 0 2 }}{{ or 0 "" "z" "y" }}{{ not 1 }})~", 1, R"~(y0zfalse)~"},
    {R"~({{ and false (index (query "up") 9) }})~", 1, R"~(false)~"},
    {R"~({{ or true (index (query "up") 9) }})~", 1, R"~(true)~"},
    {R"~({{ eq 1 2 1 }} {{ eq "a" "b" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 1.5 1.0 }} {{ ge "b" "a" }} {{ eq true true }})~", 1, R"~(true false true true true true true true)~"},
    {R"~({{ gt $value 0.5 }})~", 1, R"~(true)~"},
    {R"~({{ gt $value 1 }})~", 1, R"~(!error)~"},
    {R"~({{ eq $value "1" }})~", 1, R"~(!error)~"},
    {R"~({{ lt true false }})~", 1, R"~(!error)~"},
    {R"~({{ eq $labels $labels }})~", 1, R"~(!error)~"},
    {R"~({{ $labels }})~", 1, R"~(map[__name__:m instance:db 1 job:api n:2048])~"},
    {R"~({{ query "up" | first | value }} {{ query "up" | first | label "instance" }} {{ (query "up" | first).Labels.instance }})~", 1, R"~(1 b b)~"},
    {R"~({{ query "nothing" | first }})~", 1, R"~(!error)~"},
    {R"~({{ query "bad bad" }})~", 1, R"~(!error)~"},
    {R"~({{ .Labels.job }} {{ $.Labels.job }} {{ .Value }} {{ $.Value }})~", 1, R"~(api api 1 1)~"},
    {R"~({{ .Nope }})~", 1, R"~(!error)~"},
    {R"~({{ .Labels.a.b }})~", 1, R"~(!error)~"},
    {R"~({{ $value.x }})~", 1, R"~(!error)~"},
    {R"~({{ $labels.none }}|{{ .Labels.none }})~", 1, R"~(|)~"},
    {R"~({{ match "^a.*" "abc" }} {{ match "(" "x" }})~", 1, R"~(!error)~"},
    {R"~({{ match "b" "abc" }})~", 1, R"~(true)~"},
    {R"~({{ parseDuration "1h30m" }} {{ parseDuration "1d" }} {{ parseDuration "100ms" }})~", 1, R"~(5400 86400 0.1)~"},
    {R"~({{ parseDuration "x" }})~", 1, R"~(!error)~"},
    {R"~({{ args 1 "a" }})~", 1, R"~(map[arg0:1 arg1:a])~"},
    {R"~({{ (args 1 "a").arg1 }}{{ (args).none }})~", 1, R"~(a<no value>)~"},
    {R"~({{ safeHtml "<b>" }})~", 1, R"~(<b>)~"},
    {R"~({{ graphLink "up == 0" }} {{ tableLink "a{b=\"c\"}" }})~", 1, R"~(/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=a%7Bb%3D%22c%22%7D&g0.tab=1)~"},
    {R"~(a  {{- $labels.job -}}  b {{/* said to nobody */}}c)~", 1, R"~(aapib c)~"},
    {R"~(a {{- /* x */ -}} b)~", 1, R"~(ab)~"},
    {R"~({{ /* x */ }})~", 1, R"~(!refused)~"},
    {R"~({{/* x */ }})~", 1, R"~(!refused)~"},
    {R"~({{/* x
y */}}z)~", 1, R"~(z)~"},
    {R"~({{-3}})~", 1, R"~(-3)~"},
    {R"~({{- 3}})~", 1, R"~(3)~"},
    {R"~({{ "}}" }})~", 1, R"~(}})~"},
    {R"~({{
$value
}})~", 1, R"~(1)~"},
    {R"~({{ $value | printf "%.2f" | printf "%s!" }})~", 1, R"~(1.00!)~"},
    {R"~({{ printf "%.2f" $value | len }})~", 1, R"~(4)~"},
    {R"~({{ (printf "%s" "a") | toUpper }})~", 1, R"~(A)~"},
    {R"~({{ 1 | 2 }})~", 1, R"~(!refused)~"},
    {R"~({{ $value | "x" }})~", 1, R"~(!refused)~"},
    {R"~({{ $value | $labels.job }})~", 1, R"~(!error)~"},
    {R"~({{ $labels.job | toUpper | title }})~", 1, R"~(API)~"},
    {R"~({{ toUpper 1 }})~", 1, R"~(!error)~"},
    {R"~({{ toUpper }})~", 1, R"~(!error)~"},
    {R"~({{ toUpper "a" "b" }})~", 1, R"~(!error)~"},
    {R"~({{ "a" "b" }})~", 1, R"~(!error)~"},
    {R"~({{ $value 1 }})~", 1, R"~(!error)~"},
    {R"~({{ nil }})~", 1, R"~(!error)~"},
    {R"~({{ true }})~", 1, R"~(true)~"},
    {R"~({{ . }}x)~", 1, R"~({map[__name__:m instance:db 1 job:api n:2048] map[]  1}x)~"},
    {R"~({{ $ }}x)~", 1, R"~({map[__name__:m instance:db 1 job:api n:2048] map[]  1}x)~"},
    {R"~({{ $x }})~", 1, R"~(!refused)~"},
    {R"~({{ nofunc }})~", 1, R"~(!refused)~"},
    {R"~({{ }})~", 1, R"~(!refused)~"},
    {R"~({{ | x }})~", 1, R"~(!refused)~"},
    {R"~({{ $value | }})~", 1, R"~(1)~"},
    {R"~({{ ( }})~", 1, R"~(!refused)~"},
    {R"~({{ (1 }})~", 1, R"~(!refused)~"},
    {R"~({{ 1) }})~", 1, R"~(!refused)~"},
    {R"~({{ if }}x{{ end }})~", 1, R"~(!refused)~"},
    {R"~({{ if true }}x)~", 1, R"~(!refused)~"},
    {R"~({{ end }})~", 1, R"~(!refused)~"},
    {R"~({{ else }})~", 1, R"~(!refused)~"},
    {R"~({{ if true }}a{{ else }}b{{ else }}c{{ end }})~", 1, R"~(!refused)~"},
    {R"~({{ if false }}a{{ else if true }}b{{ else }}c{{ end }})~", 1, R"~(b)~"},
    {R"~({{ $x := }})~", 1, R"~(!refused)~"},
    {R"~({{ $x, $y := 1 }})~", 1, R"~(!refused)~"},
    {R"~({{ $nope = 1 }})~", 1, R"~(!error)~"},
    {R"~({{ if $y := 1 }}{{ $y }}{{ end }})~", 1, R"~(1)~"},
    {R"~({{ if true }}{{ $y := 1 }}{{ end }}{{ $y }})~", 1, R"~(!refused)~"},
    {R"~({{ "open }})~", 1, R"~(!refused)~"},
    {R"~({{ 'a }})~", 1, R"~(!refused)~"},
    {R"~({{ a.b }})~", 1, R"~(!refused)~"},
    {R"~({{ $value.1 }})~", 1, R"~(!refused)~"},
    {R"~({{ .5.x }})~", 1, R"~(!refused)~"},
    {R"~({{ "a".b }})~", 1, R"~(!refused)~"},
    {R"~({{ call 1 }})~", 1, R"~(!error)~"},
    {R"~({{ $value$value }})~", 1, R"~(!refused)~"},
    {R"~({{ "a""b" }})~", 1, R"~(!refused)~"},
    {R"~({{ $value,1 }})~", 1, R"~(!refused)~"},
    {R"~({{ template x }})~", 1, R"~(!refused)~"},
    {R"~({{ {{ }} }})~", 1, R"~(!refused)~"},
    {R"~(}} text)~", 1, R"~(}} text)~"},
    {R"~({{ print (1) (2) }})~", 1, R"~(1 2)~"},
    {R"~({{ printf "%s" (print "a") }})~", 1, R"~(a)~"},
    {R"~({{ eq (print 1) "1" }})~", 1, R"~(true)~"},
    {R"~({{ $labels.job }}{{ $labels.instance }})~", 1, R"~(apidb 1)~"},
    {R"~({{ $externalLabels }})~", 1, R"~(map[])~"},
    {R"~({{ len $externalLabels }})~", 1, R"~(0)~"},
    {R"~({{ printf "%08b|%-8b|%+.2e" 5 5 12345.678 }})~", 1, R"~(00000101|101     |+1.23e+04)~"},
    {R"~({{ printf "%6.2f%%" 12.345 }})~", 1, R"~( 12.35%)~"},
    {R"~({{ printf "%3c|%-3c|" 65 65 }})~", 1, R"~(  A|A  |)~"},
    {R"~({{ printf "%s" true }})~", 1, R"~(%!s(bool=true))~"},
    {R"~({{ printf "%s" 1.5 }})~", 1, R"~(%!s(float64=1.5))~"},
    {R"~({{ printf "%v %v" 100000.0 1000000.0 }})~", 1, R"~(100000 1e+06)~"},
    {R"~({{ 100000000.0 }} {{ 0.0001 }} {{ 0.00001 }})~", 1, R"~(1e+08 0.0001 1e-05)~"},
    {R"~({{ printf "%.0f" 2.5 }} {{ printf "%.0f" 3.5 }})~", 1, R"~(2 4)~"},
    {R"~({{ printf "%.3v" 3.14159 }} {{ printf "%10v|" "a" }})~", 1, R"~(3.14          a|)~"},
    {R"~({{ printf "%8.3f|%.1f|%08d" 1 "abc" "5" }})~", 1, R"~(%!f(int=     001)|%!f(string=a)|%!d(string=00000005))~"},
    {R"~({{ printf "%12t|%-6d|% .0s|%+s" "x" true 0.1 1.5 }})~", 1, R"~(%!t(string=           x)|%!d(bool=true  )|%!s(float64= 0.1)|%!s(float64=+1.5))~"},
    {R"~({{ printf "%+v|%+8v|% v|%#v|%+d" 1e6 3 2 "a\"b" 3 }})~", 1, R"~(1e+06|       3| 2|"a\"b"|+3)~"},
    {R"~({{ printf "%#v" $labels }} {{ with query "up" }}{{ printf "%+v" (index . 0) }}{{ end }})~", 1, R"~(map[string]string{"__name__":"m", "instance":"db 1", "job":"api", "n":"2048"} &{Labels:map[__name__:up instance:b] Value:1})~"},
    {R"~({{ printf "%b|%b|%b|%25b" 1.0 -0.1 0.0 5e-324 }})~", 1, R"~(4503599627370496p-52|-7205759403792794p-56|0p-1074|                  1p-1074)~"},
    {R"~({{ $value }} {{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }} {{ humanizeTimestamp $value }} {{ printf "%.2f|%5.1f|%d|%s|%g" $value $value $value $value $value }} {{ gt $value 1.0 }} {{ eq $value $value }} {{ if $value }}y{{ end }})~", kNan, R"~(NaN NaN NaN NaN NaN% NaN NaN|  NaN|%!d(float64=NaN)|%!s(float64=NaN)|NaN true false y)~"},
    {R"~({{ $value }} {{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }} {{ humanizeTimestamp $value }} {{ printf "%.2f|%5.1f|%d|%s|%g" $value $value $value $value $value }} {{ gt $value 1.0 }} {{ eq $value $value }} {{ if $value }}y{{ end }})~", kInfinity, R"~(+Inf +Inf +Inf +Inf +Inf% +Inf +Inf| +Inf|%!d(float64=+Inf)|%!s(float64=+Inf)|+Inf true true y)~"},
    {R"~({{ $value }} {{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }} {{ humanizeTimestamp $value }} {{ printf "%.2f|%5.1f|%d|%s|%g" $value $value $value $value $value }} {{ gt $value 1.0 }} {{ eq $value $value }} {{ if $value }}y{{ end }})~", -kInfinity, R"~(-Inf -Inf -Inf -Inf -Inf% -Inf -Inf| -Inf|%!d(float64=-Inf)|%!s(float64=-Inf)|-Inf false true y)~"},
};
// clang-format on

Result<std::vector<TemplateSample>> Answer(std::string_view query) {
  if (query == "nothing") return std::vector<TemplateSample>();
  if (query != "up") return InvalidArgument("parse error");
  return std::vector<TemplateSample>{{{{"__name__", "up"}, {"instance", "b"}}, 1},
                                     {{{"__name__", "up"}, {"instance", "a"}}, 0.5}};
}

TEST(TemplateGo, AnswersAsPrometheusDoes) {
  const model::LabelViews labels = {{"__name__", "m"}, {"instance", "db 1"}, {"job", "api"}, {"n", "2048"}};
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    const Result<Template> parsed = Template::Parse(row.text);
    const std::string want = row.want;
    EXPECT_EQ(parsed.ok(), want != "!refused") << (parsed.ok() ? "" : parsed.error().message);
    if (!parsed.ok()) continue;
    const std::string got = parsed->Expand(labels, row.value, {.query = Answer, .now_ms = 1'700'000'000'000});
    if (want == "!error") {
      EXPECT_TRUE(got.starts_with("<error expanding template: ")) << got;
    } else {
      EXPECT_EQ(got, want);
    }
  }
}

TEST(TemplateGo, NothingGrowsWithoutEnd) {
  for (
      const char* text :
      {R"({{ printf "%1000000d%1000000d%1000000d" 1 1 1 }})",
       R"({{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }})",
       R"({{ define "x" }}{{ range . }}{{ template "x" $ }}{{ end }}{{ end }}{{ template "x" query "up" }})",
       R"({{ $x := "abcdefghijklmnop" }}{{ range query "up" }}{{ $x = print $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x }}{{ $x = print $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x }}{{ end }}{{ $x }})",
       R"({{ $x := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }}{{ range query "up" }}{{ $x = reReplaceAll "" (printf "%100000s" "x") $x }}{{ end }}{{ $x }})"}) {
    const std::string got = Template::Parse(text)->Expand({}, 0, {.query = Answer, .now_ms = 0});
    EXPECT_TRUE(got.starts_with("<error expanding template: ")) << got.size() << got.substr(0, 100);
  }
}

}  // namespace
}  // namespace tidemark::query::rules
