"""Requests to Alertmanager's API v2, by case: each is sent to a real Alertmanager and to us, and the answers are compared.

A case is a list of steps (METHOD, target, body[, content type]). In targets and bodies `@+60` is the time 60 seconds after
the case began, and `$1` the id that the first silence of the case got from the server asked. A body that is not text is
sent as JSON.
"""
from urllib.parse import quote

CONFIG = """
global: {resolve_timeout: 5m}
route:
  receiver: all
  group_by: [alertname]
  group_wait: 1h
  routes:
    - {matchers: ['severity="page"', 'team=~"a|b"'], receiver: page, continue: true}
    - {match: {severity: page}, receiver: page2, group_by: ['...']}
    - matchers: [n=~"x.*"]
      receiver: x
      routes: [{matchers: [m!=""], receiver: xm, group_by: [m, n]}]
receivers: [{name: all}, {name: page}, {name: page2}, {name: x}, {name: xm}, {name: 'with space/slash'}]
inhibit_rules:
  - {source_matchers: [sev=hi], target_matchers: [sev=lo], equal: [cluster]}
"""


def alert(*, starts=None, ends=None, url=None, annotations=None, **labels):
    out = {"labels": labels}
    if starts is not None:
        out["startsAt"] = starts
    if ends is not None:
        out["endsAt"] = ends
    if url is not None:
        out["generatorURL"] = url
    if annotations is not None:
        out["annotations"] = annotations
    return out


def post(*alerts):
    return ("POST", "/api/v2/alerts", list(alerts))


def get(what="alerts", *filters, **parameters):
    query = "&".join([f"filter={quote(text)}" for text in filters] +
                     [f"{name}={quote(str(value))}" for name, value in parameters.items()])
    return ("GET", f"/api/v2/{what}?{query}", None)


def matcher(name, value, regex=False, equal=None):
    out = {"name": name, "value": value, "isRegex": regex}
    if equal is not None:
        out["isEqual"] = equal
    return out


def silence(*matchers, starts="@+0", ends="@+3600", **more):
    body = {"matchers": list(matchers), "startsAt": starts, "endsAt": ends, "createdBy": "ada", "comment": "why", **more}
    return ("POST", "/api/v2/silences", {key: value for key, value in body.items() if value is not None})


def end(silence_id):
    return ("DELETE", f"/api/v2/silence/{silence_id}", None)


A, B = matcher("alertname", "A"), matcher("alertname", "B")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def posted(body, content_type="application/json"):
    """What a POST of alerts answers, and what is there then."""
    return [("POST", "/api/v2/alerts", body, content_type), get()]


def posted_silence(body, content_type="application/json"):
    return [("POST", "/api/v2/silences", body, content_type), get("silences")]


ALERT_BODIES = {
    "no body": "", "null": "null", "an empty list": "[]", "broken": "{", "an object": "{}", "a text": '"x"', "a number": "7",
    "of a number": "[1]", "of null": "[null]", "of an empty object": "[{}]", "of empty labels": '[{"labels":{}}]',
    "of null labels": '[{"labels":null}]', "labels of a list": '[{"labels":[]}]', "a label of a number": '[{"labels":{"a":1}}]',
    "a label of null": '[{"labels":{"a":null}}]', "only empty values": '[{"labels":{"a":"","b":""}}]',
    "an empty value is left out": '[{"labels":{"a":"","b":"x"}}]', "an empty annotation": '[{"labels":{"a":"x"},"annotations":{"s":""}}]',
    "a name with a hyphen": '[{"labels":{"a-b":"x"}}]', "a name with a digit first": '[{"labels":{"1a":"x"}}]',
    "a name with a colon": '[{"labels":{"a:b":"x"}}]', "a name that is no ASCII": '[{"labels":{"é":"x"}}]',
    "an empty name": '[{"labels":{"":"x"}}]', "an annotation with a hyphen": '[{"labels":{"a":"x"},"annotations":{"a-b":"x"}}]',
    "a value in UTF-8": '[{"labels":{"a":"ä€😀"}}]', "a name twice": '[{"labels":{"a":"1","a":"2"}}]',
    "an unknown key": '[{"labels":{"a":"x"},"other":1}]', "two bad ones": '[{"labels":{"a-b":"x"}},{"labels":{}},{"labels":{"c-d":"x"}}]',
    "a bad one and a good one": '[{"labels":{"a-b":"x"}},{"labels":{"good":"1"}}]',
    "a start that is no time": '[{"labels":{"a":"x"},"startsAt":"x"}]', "a start of a number": '[{"labels":{"a":"x"},"startsAt":7}]',
    "a start of null": '[{"labels":{"a":"x"},"startsAt":null}]',
    "a start of a day": '[{"labels":{"a":"x"},"startsAt":"2026-01-31"}]', "a start of another zone": '[{"labels":{"a":"x"},"startsAt":"2026-01-31T12:00:00.5Z"}]',
    "a start of the year 1": '[{"labels":{"a":"x"},"startsAt":"0001-01-01T00:00:00Z"}]',
    "an end of the year 1": '[{"labels":{"a":"x"},"endsAt":"0001-01-01T00:00:00Z"}]',
    "ends before it starts": '[{"labels":{"a":"x"},"startsAt":"@+60","endsAt":"@+30"}]',
    "ends when it starts": '[{"labels":{"a":"x"},"startsAt":"@+60","endsAt":"@+60"}]',
    "starts later": '[{"labels":{"a":"x"},"startsAt":"@+600"}]', "has ended": '[{"labels":{"a":"x"},"startsAt":"@-60","endsAt":"@-30"}]',
    "has only an end, over": '[{"labels":{"a":"x"},"endsAt":"@-30"}]', "has only an end, to come": '[{"labels":{"a":"x"},"endsAt":"@+30"}]',
    "starts and ends": '[{"labels":{"a":"x"},"startsAt":"@-60","endsAt":"@+90"}]',
    "an empty link": '[{"labels":{"a":"x"},"generatorURL":""}]', "a link": '[{"labels":{"a":"x"},"generatorURL":"http://h/graph?g0.expr=up"}]',
    "a link of a path": '[{"labels":{"a":"x"},"generatorURL":"/graph"}]', "a link with a blank": '[{"labels":{"a":"x"},"generatorURL":"a b"}]',
    "a link that is a word": '[{"labels":{"a":"x"},"generatorURL":"abc"}]', "a link of a number": '[{"labels":{"a":"x"},"generatorURL":7}]',
    "a link of a scheme": '[{"labels":{"a":"x"},"generatorURL":"http:"}]', "a link without a scheme": '[{"labels":{"a":"x"},"generatorURL":"://x"}]',
    "a list that is not closed": '[{"labels":{"a":"x"}}', "annotations of a text": '[{"labels":{"a":"x"},"annotations":"s"}]',
    "annotations of null": '[{"labels":{"a":"x"},"annotations":null}]',
}
SILENCE_BODIES = {
    "no body": "", "null": "null", "broken": "{", "a list": "[]", "an empty object": "{}", "a text": '"x"',
    "without matchers": silence(matchers=None)[2], "matchers of null": silence(matchers=None, matcher=None)[2],
    "empty matchers": silence()[2], "without a comment": silence(A, comment=None)[2], "an empty comment": silence(A, comment="")[2],
    "without an author": silence(A, createdBy=None)[2], "an empty author": silence(A, createdBy="")[2],
    "without a start": silence(A, starts=None)[2], "without an end": silence(A, ends=None)[2],
    "without all": {"matchers": []}, "a start of a word": silence(A, starts="now")[2], "an end of a number": silence(A, ends=7)[2],
    "ends before it starts": silence(A, starts="@+60", ends="@+30")[2], "ends when it starts": silence(A, starts="@+60", ends="@+60")[2],
    "is over": silence(A, starts="@-60", ends="@-30")[2], "began before": silence(A, starts="@-60")[2],
    "a matcher without a name": silence({"value": "x", "isRegex": False})[2], "a matcher without a value": silence({"name": "a", "isRegex": False})[2],
    "a matcher without isRegex": silence({"name": "a", "value": "x"})[2], "a matcher of an empty name": silence(matcher("", "x"))[2],
    "a matcher of a bad name": silence(matcher("a-b", "x"))[2], "the second matcher of a bad name": silence(A, matcher("a-b", "x"))[2],
    "a matcher of the empty value": silence(matcher("a", ""))[2], "one of two of the empty value": silence(A, matcher("a", ""))[2],
    "a regex that matches all": silence(matcher("a", ".*", True))[2], "a regex that is none": silence(matcher("a", "(", True))[2],
    "a regex that matches nothing or all": silence(matcher("a", "x*", True))[2], "a regex of alternatives": silence(matcher("a", "x|", True))[2],
    "not the empty value": silence(matcher("a", "", False, False))[2], "not a value": silence(matcher("a", "x", False, False))[2],
    "not a regex": silence(matcher("a", "x.*", True, False))[2], "not any": silence(matcher("a", ".*", True, False))[2],
    "isEqual of null": silence({"name": "a", "value": "x", "isRegex": False, "isEqual": None})[2],
    "isEqual of a text": silence({"name": "a", "value": "x", "isRegex": False, "isEqual": "x"})[2],
    "a matcher of a number": silence(7)[2], "a matcher of null": silence(None)[2], "an unknown id": silence(A, id=UNKNOWN)[2],
    "an id that is none": silence(A, id="x")[2], "an empty id": silence(A, id="")[2], "an id of a number": silence(A, id=7)[2],
    "an unknown key": silence(A, other=1)[2], "the same matcher twice": silence(A, A)[2], "matchers in another order": silence(B, matcher("a", "1"))[2],
    "a value in UTF-8": silence(matcher("a", "ä€😀"))[2], "a value of lines": silence(matcher("a", 'x"\\\ny'))[2],
}
FILTERS = ["alertname=A", 'alertname="A"', "alertname!=A", "alertname=~A|B", "alertname!~A|B", "alertname=~.", "alertname=",
           'alertname=""', "alertname!=", "missing=", "missing!=", 'missing=~""', "missing=~.*", "missing=~.+", "missing!~.+", "missing=x", "missing!=x",
           "missing!~x", "sev=~", "sev!~", "", " ", "alertname", "=A", "alertname=~(", "{alertname=A}", '{alertname="A",sev="hi"}', 'alertname="A",sev="hi"',
           "alertname = A", ' alertname = "A" ', 'alertname="A', 'alertname=A"', 'alertname="\\"A"', "alertname==A", "alertname>A", "a-b=x",
           "1a=x", "é=x", '"alertname"="A"', "alertname='A'", "alertname=A B", "quote=a\"b", 'quote="a\\"b"', "quote=~a.b", 'line="a\\nb"', "alertname=~^A$",
           "alertname=~(?i)a", "alertname=\\", 'alertname="\\x"', "sev=hi"]
SOME = post(alert(alertname="A", sev="hi", cluster="c"), alert(alertname="B", sev="lo", cluster="c"), alert(alertname="B", sev="lo", cluster="d"),
            alert(alertname="C", severity="page", team="a"), alert(alertname="C", severity="page", team="z"), alert(alertname="D", n="x1", m="1"),
            alert(alertname="D", n="x1"), alert(quote='a"b', line="a\nb"))


def cases():
    """By name."""
    out = {}
    for name, body in ALERT_BODIES.items():
        out[f"alerts: {name}"] = posted(body)
    for name, body in SILENCE_BODIES.items():
        out[f"silence: {name}"] = posted_silence(body)
    for content_type in ("", "text/plain", "application/json; charset=utf-8", "APPLICATION/JSON", "application/x-www-form-urlencoded", "x", "application/xml;q=1", "application/json;"):
        out[f"alerts as {content_type!r}"] = posted('[{"labels":{"a":"x"}}]', content_type)
        out[f"a silence as {content_type!r}"] = posted_silence(silence(A)[2], content_type)
    for text in FILTERS:
        out[f"filter {text!r}"] = [SOME, get("alerts", text), get("alerts/groups", text)]
        out[f"filter of silences {text!r}"] = [silence(A), silence(B, matcher("sev", "hi")), silence(matcher("alertname", "A|B", True)),
                                              silence(matcher("quote", 'a"b', False, False)), get("silences", text)]
    out["filters are all to hold"] = [SOME, get("alerts", "alertname=B", "cluster=c"), get("alerts", "alertname=B", "alertname=C"), get("alerts", "alertname=B", "x y")]
    for value in ("true", "false", "1", "0", "yes", "no", "x", "", "TRUE", "t", "on", "False"):
        for name in ("active", "silenced", "inhibited", "unprocessed"):
            out[f"{name}={value}"] = [SOME, silence(A), silence(matcher("alertname", "C"), matcher("team", "a")), get("alerts", **{name: value}),
                                      get("alerts/groups", **{name: value})]
    out["neither active nor silenced"] = [SOME, silence(A), get(active="false", silenced="false"), get("alerts/groups", active="false", silenced="false"),
                                          get(active="false", inhibited="false"), get(active="false", silenced="false", inhibited="false")]
    for receiver in ("all", "page", "page2", "page.*", "pag", "x|xm", "nobody", "(", "", "with space/slash", ".*", "^all$", "(?i)ALL"):
        out[f"receiver={receiver}"] = [SOME, get(receiver=receiver), get("alerts/groups", receiver=receiver)]
    out["receivers"] = [get("receivers")]
    out["where alerts go"] = [SOME, get(), get("alerts/groups")]
    out.update(silence_cases())
    out.update(update_cases())
    out.update(combined_cases())
    out.update(address_cases())
    return out


def silence_cases():
    pick = get("silences")
    return {
        "a silence silences": [SOME, silence(A), get(), pick],
        "one that is to come does not": [SOME, silence(A, starts="@+600"), get(), pick],
        "two silences of an alert": [SOME, silence(A), silence(matcher("sev", "hi")), get("alerts", "alertname=A"), pick],
        "one that has ended silences no more": [SOME, silence(A), end("$1"), get("alerts", "alertname=A"), pick, ("GET", "/api/v2/silence/$1", None)],
        "one to come is ended": [silence(A, starts="@+600"), end("$1"), pick],
        "ended twice": [silence(A), end("$1"), end("$1"), pick],
        "an unknown one is ended": [end(UNKNOWN), ("GET", f"/api/v2/silence/{UNKNOWN}", None)],
        "no id is ended": [end("x"), ("GET", "/api/v2/silence/x", None), end(""), ("GET", "/api/v2/silence/", None)],
        "an id in capitals": [silence(A), ("GET", "/api/v2/silence/" + UNKNOWN.upper(), None), end("ABCDEFAB-0000-4000-8000-000000000000")],
        "an id without hyphens": [end(UNKNOWN.replace("-", ""))],
        "not equal": [SOME, silence(matcher("alertname", "A", False, False)), get()],
        "not a regex": [SOME, silence(matcher("alertname", "A|B", True, False)), get()],
        "a label that is missing": [SOME, silence(matcher("alertname", "D"), matcher("m", "")), get("alerts", "alertname=D")],
        "a regex is of the whole value": [SOME, silence(matcher("cluster", "[c]|x", True)), silence(matcher("sev", "h", True)), get()],
        "changed in its comment": [silence(A), silence(A, id="$1", comment="other"), pick],
        "changed in its end": [silence(A), silence(A, id="$1", ends="@+60"), pick],
        "changed in its matchers": [silence(A), silence(B, id="$1"), pick],
        "changed in the order of matchers": [silence(A, matcher("sev", "hi")), silence(matcher("sev", "hi"), A, id="$1"), pick],
        "changed in its start": [silence(A), silence(A, id="$1", starts="@-100"), pick],
        "changed to begin later": [silence(A), silence(A, id="$1", starts="@+600"), pick],
        "one to come changed to begin later": [silence(A, starts="@+600"), silence(A, id="$1", starts="@+900"), pick],
        "one to come changed to begin at once": [silence(A, starts="@+600"), silence(A, id="$1", starts="@-10"), pick],
        "one to come changed in its matchers": [silence(A, starts="@+600"), silence(B, id="$1", starts="@+600"), pick],
        "changed to be over": [silence(A), silence(A, id="$1", ends="@-10", starts="@-60"), pick],
        "one that has ended is changed": [silence(A), end("$1"), silence(A, id="$1"), pick],
        "one that has ended is changed in its matchers": [silence(A), end("$1"), silence(B, id="$1"), pick],
        "changed in isEqual": [silence(A), silence(matcher("alertname", "A", False, False), id="$1"), pick],
        "the order of silences": [silence(matcher("a", "1"), ends="@+900"), silence(matcher("a", "2"), ends="@+600"), silence(matcher("a", "3"), starts="@+60"),
                                  silence(matcher("a", "4"), starts="@+30"), silence(matcher("a", "5")), end("$5"), pick],
    }


def update_cases():
    def again(first, *others):
        steps = [post(first), get()]
        for other in others:
            steps += [post(other), get(), get("alerts/groups")]
        return steps
    return {
        "told of again": again(alert(a="x"), alert(a="x")),
        "told of again with other annotations": again(alert(a="x", annotations={"s": "1"}), alert(a="x", annotations={"t": "2"})),
        "an earlier start": again(alert(a="x", starts="@-60"), alert(a="x", starts="@-120")),
        "a later start": again(alert(a="x", starts="@-120"), alert(a="x", starts="@-60")),
        "a later end": again(alert(a="x", starts="@-60", ends="@+60"), alert(a="x", starts="@-60", ends="@+120")),
        "an earlier end": again(alert(a="x", starts="@-60", ends="@+120"), alert(a="x", starts="@-60", ends="@+60")),
        "an end behind a timeout": again(alert(a="x"), alert(a="x", ends="@+60")),
        "a timeout behind an end": again(alert(a="x", ends="@+60"), alert(a="x")),
        "a timeout behind a long end": again(alert(a="x", ends="@+6000"), alert(a="x")),
        "resolved": again(alert(a="x", starts="@-60"), alert(a="x", starts="@-60", ends="@-1")),
        "resolved with an end alone": again(alert(a="x"), alert(a="x", ends="@-1")),
        "resolved and told of again": again(alert(a="x", starts="@-60"), alert(a="x", starts="@-60", ends="@-1"), alert(a="x", starts="@-60")),
        "resolved and begun anew": again(alert(a="x", starts="@-60"), alert(a="x", starts="@-60", ends="@-30"), alert(a="x", starts="@-10")),
        "times that do not meet": again(alert(a="x", starts="@-600", ends="@-500"), alert(a="x", starts="@-60", ends="@+60")),
        "other labels": again(alert(a="x"), alert(a="x", b="y"), alert(b="y")),
        "the link changes": again(alert(a="x", url="http://a/"), alert(a="x", url="http://b/"), alert(a="x")),
        "twice in one request": [post(alert(a="x", annotations={"s": "1"}), alert(a="x", annotations={"s": "2"})), get()],
        "an inhibited one": [SOME, get("alerts", "alertname=B"), post(alert(alertname="A", sev="hi", cluster="c", ends="@-1")), get("alerts", "alertname=B")],
        "inhibited without the label on either side": [post(alert(sev="hi"), alert(sev="lo", x="1")), get()],
        "inhibited with the label on one side": [post(alert(sev="hi", cluster="c"), alert(sev="lo", x="1")), get()],
        "inhibited by two": [post(alert(sev="hi", cluster="c", n="1"), alert(sev="hi", cluster="c", n="2"), alert(sev="lo", cluster="c")), get("alerts", "sev=lo", inhibited="true")],
        "inhibited and silenced": [SOME, silence(B), get("alerts", "alertname=B"), get("alerts", "alertname=B", silenced="false"), get("alerts", "alertname=B", inhibited="false")],
    }


def combined_cases():
    """Several conditions at once, silences of several matchers, and what a state makes of another."""
    pick, groups = get("silences"), "alerts/groups"
    team = matcher("team", "a|z", True)
    return {
        "a filter and a receiver": [SOME, get("alerts", "severity=page", receiver="page"), get(groups, "severity=page", receiver="page"), get(groups, "team=z", receiver="page.*")],
        "a filter, a receiver and a state": [SOME, silence(team), get("alerts", "severity=page", receiver="page", silenced="false"), get(groups, "severity=page", receiver="page", silenced="false"),
                                             get(groups, "severity=page", receiver="page", active="false")],
        "groups of silenced ones": [SOME, silence(matcher("alertname", ".+", True)), get(groups), get(groups, active="false"), get(groups, silenced="false")],
        "groups of inhibited ones": [SOME, get(groups, inhibited="false"), get(groups, "sev=lo"), get(groups, "sev=lo", active="false")],
        "all states are refused": [SOME, get(active="false", silenced="false", inhibited="false", unprocessed="false"), get(groups, active="false", silenced="false", inhibited="false")],
        "filters that contradict": [SOME, get("alerts", "alertname=A", "alertname!=A"), get(groups, "alertname=A", "alertname!=A")],
        "the same filter twice": [SOME, get("alerts", "alertname=A", "alertname=A")],
        "one filter is bad": [SOME, get("alerts", "alertname=A", "(("), get(groups, "alertname=A", "(("), get("silences", "alertname=A", "((")],
        "a bad filter and a bad receiver": [SOME, get("alerts", "((", receiver="(")],
        "a bad state and a bad filter": [SOME, get("alerts", "((", active="maybe")],
        "an unknown parameter": [SOME, ("GET", "/api/v2/alerts?what=1&filter=alertname%3DA", None)],
        "a parameter without a value": [SOME, ("GET", "/api/v2/alerts?active", None), ("GET", "/api/v2/alerts?filter", None)],
        "silences of many matchers": [SOME, silence(matcher("alertname", "C"), matcher("severity", "p.*", True), matcher("team", "z", False, False)), get("alerts", "alertname=C"), pick],
        "a silence of a pattern that is alike": [SOME, silence(matcher("alertname", "A", True)), silence(A), pick, get("alerts", "alertname=A")],
        "a silence of what is missing and more": [SOME, silence(matcher("m", ""), matcher("n", ".+", True)), get("alerts", "alertname=D")],
        "a silence of what is not empty": [SOME, silence(matcher("m", "", False, False)), get("alerts", "alertname=D")],
        "a silence of no pattern at all": [SOME, silence(matcher("m", ".+", True, False), matcher("alertname", "D")), get("alerts", "alertname=D")],
        "a silence with quotes and lines": [SOME, silence(matcher("quote", 'a"b'), matcher("line", "a\nb")), get("alerts", "quote=~.+"), pick],
        "a silence of a label that nobody has": [SOME, silence(matcher("nobody", "x")), get(), pick],
        "a silence to come is found by its id": [silence(A, starts="@+600"), ("GET", "/api/v2/silence/$1", None)],
        "a silence is found by the filter of its pattern": [silence(matcher("alertname", "A.*", True)), get("silences", "alertname=AB"), get("silences", 'alertname="A.*"'), get("silences", "alertname=~A.*")],
        "a silence is ended and its alert goes on": [SOME, silence(A), get("alerts", "alertname=A"), end("$1"), get("alerts", "alertname=A"), get(groups, "alertname=A")],
        "two of one alert, ended in turn": [SOME, silence(A), silence(A, comment="other"), end("$1"), get("alerts", "alertname=A"), end("$2"), get("alerts", "alertname=A"), pick],
        "changed and ended": [silence(A), silence(A, id="$1", comment="b", ends="@+900"), end("$1"), pick],
        "changed twice": [silence(A), silence(A, id="$1", comment="b"), silence(A, id="$1", comment="c"), ("GET", "/api/v2/silence/$1", None)],
        "one to come, changed in all": [silence(A, starts="@+600"), silence(B, id="$1", starts="@+700", ends="@+900", comment="x", createdBy="bob"), pick],
        "an author and a comment in another tongue": [silence(A, createdBy="Jürgen 😀", comment="weil\nso"), pick],
        "a silence of long ago to far away": [silence(A, starts="2001-01-01T00:00:00Z", ends="2199-12-31T23:59:59.999Z"), ("GET", "/api/v2/silences?filter=nobody%3Dx", None)],
        "a silence with times of a zone": [silence(A, starts="2099-01-01T00:00:00+05:30", ends="2099-01-01T00:00:00-03:00"), pick],
        "a silence whose end is before its start in another zone": [silence(A, starts="2099-01-01T00:00:00-03:00", ends="2099-01-01T00:00:00+05:30")],
        "ended alerts are in no group": [SOME, post(alert(alertname="A", sev="hi", cluster="c", ends="@-1")), get(groups, "alertname=A"), get("alerts", "alertname=A")],
        "the source ends, the target goes on": [SOME, post(alert(alertname="A", sev="hi", cluster="c", ends="@-1")), get("alerts", "sev=lo"), get(groups, "sev=lo")],
        "the source is silenced": [SOME, silence(A), get("alerts", "sev=lo"), get("alerts", "sev=lo", inhibited="false")],
        "the target is the source of none": [post(alert(sev="lo", cluster="c"), alert(sev="hi", cluster="c", x="1")), get(), get(groups)],
        "good and bad together, of three": [post(alert(a="1"), alert(**{"a-b": "2"}), alert(a="3")), get()],
        "an alert with all it may have": [post(alert(starts="@-90", ends="@+90", url="https://h:1/g?x=%7B#f", annotations={"summary": "s", "ä": "x"}, a="1")), get()],
        "an annotation with all it may have": [post(alert(annotations={"summary": "a\tb\n\"c\" <d>& ä"}, a="1")), get(), get(groups)],
        "many labels": [post(alert(**{f"l{number}": "x" * number for number in range(1, 40)})), get()],
    }


def address_cases():
    return {f"{method} {target}": [(method, target, body)] for method, target, body in (
        ("PUT", "/api/v2/alerts", "[]"), ("DELETE", "/api/v2/alerts", None), ("PATCH", "/api/v2/silences", "{}"), ("PUT", "/api/v2/silences", "{}"),
        ("POST", "/api/v2/receivers", "[]"), ("POST", "/api/v2/status", "{}"), ("POST", "/api/v2/alerts/groups", "[]"), ("POST", f"/api/v2/silence/{UNKNOWN}", "{}"),
        ("GET", "/api/v2/nothing", None), ("GET", "/api/v2/", None), ("GET", "/api/v2/alerts/x", None))}
