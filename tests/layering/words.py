#!/usr/bin/env python3
"""What people and programs write in text has one definition each: durations, byte sizes, times, JSON strings, percent escapes,
the stale marker. A sign of a second one in our C++ outside of tests is a breach, and so is an allowed place that shows none."""
import re
import sys

import source_text

# word -> (home, sign, how many different signs make a definition, {allowed place: why}). Signs are looked for in C++ without its
# comments.
WORDS = {
    "duration units": ("storage/base/text/duration.h", r"""["'](ns|us|µs|µ|u|ms|s|m|h|d|w|y)["']""", 4, {
        "ingest/lineprotocol/parser.cc": "the words of a precision, which is no duration",
        "query/promql/lexer.cc": "letters that its grammar begins words with",
        "query/rules/template_functions.cc": "the prefixes of SI",
        "query/rules/template_print.cc": "the verbs of printf, and Go's durations",
        "storage/base/text/duration.cc": "which units each style prints",
        "tools/server/write/write_endpoint.cc": "the words of a precision, which is no duration",
    }),
    "byte sizes": ("storage/base/text/byte_size.cc", r'"(?:\{\} ?)?(?:[KMG]i?B)"', 1, {}),
    "times": ("storage/base/text/instant.cc", r"\b(?:hh_mm_ss|year_month_day|gmtime(?:_r)?|strftime|strptime|get_time|put_time)\b", 1, {
        "clients/cpp/retry.cc": "the Date of HTTP, which is no RFC 3339",
        "query/notify/time_interval.cc": "the calendar of mute times, in any zone",
        "query/functions/time_functions.cc": "the calendar of PromQL's functions, of any double",
        "tools/server/notify/mail.cc": "the Date of mail, which is no RFC 3339",
        "tools/server/http/session_reply.cc": "the Date of HTTP, which is no RFC 3339",
    }),
    "JSON escapes": ("storage/base/text/json_string.cc", r"\\\\u(?:00|\{|%0)|'\\\\', 'u'", 1, {
        "query/promql/quote.cc": "Go's quotes",
        "query/rules/template_print.cc": "Go's quotes in ASCII",
        "query/rules/template_text.cc": "Go's escapes for scripts",
    }),
    "percent escapes": ("storage/base/text/params.cc", r"'%'|%%%0?2[xX]|%\{:02[xX]", 1, {
        "clients/cpp/http_transport.cc": "clients/cpp includes nothing of ours; who writes them uses its UrlEncode",
        "executor/agent/pipeline/progress.cc": "a percentage",
        "query/promql/lexer.cc": "an operator",
        "query/rules/template_print.cc": "the verbs of printf",
        "storage/base/text/query_escape.cc": "the way back, into the query of a URL",
        "tools/demo/goals_file.cc": "a percentage",
        "tools/server/http/endpoint.cc": "the zone of an IPv6 address",
        "tools/server/http/router.cc": "a slash within a segment, marked before params.cc unescapes the path",
    }),
    "ASCII's digits and spaces": ("storage/base/text/ascii.h", r"bool Is(?:Digit|Space)\(char [a-z]+\)", 1, {}),
    "the stale marker": ("storage/model/stale_marker.h", r"(?i)7ff0'?0000'?0000'?0002\b", 1, {}),
}


def breaches_of(root, words):
    breaches = []
    seen = set()
    for path in source_text.names(root):
        if not path.endswith(source_text.CPP) or path.startswith("tests/"):
            continue
        text = source_text.without_comments(source_text.read(root, path))
        for word, (home, sign, enough, allowed) in words.items():
            found = list(re.finditer(sign, text))
            if len({match.group() for match in found}) < enough:
                continue
            seen.add((word, path))
            if path != home and path not in allowed:
                breaches.append(f"{path}:{text.count(chr(10), 0, found[0].start()) + 1}: the one definition of {word} is in {home}")
    for word, (home, _, _, allowed) in words.items():
        for path in [home, *allowed]:
            if (word, path) not in seen:
                breaches.append(f"tests/layering/words.py:1: {path} shows no sign of {word}")
    return breaches


def main():
    breaches = breaches_of(source_text.ROOT, WORDS)
    print("\n".join(breaches) if breaches else "words are defined once")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
