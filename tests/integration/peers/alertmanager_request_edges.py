"""More requests in the form of alertmanager_requests.py: what lies just beside what those hold. Times in other spellings, JSON that is
barely JSON, how an address may be written, silences that are changed again after their id is gone, and filters of silences."""
from peers.alertmanager_requests import A, B, SOME, UNKNOWN, alert, end, get, matcher, post, posted, posted_silence, silence

TIMES = {
    "of a zone": "2026-01-31T12:00:00+05:30", "of nanoseconds": "2026-01-31T12:00:00.123456789Z", "with a small t": "2026-01-31t12:00:00Z",
    "with a small z": "2026-01-31T12:00:00z", "with a blank": "2026-01-31 12:00:00Z", "without a zone": "2026-01-31T12:00:00", "without seconds": "2026-01-31T12:00Z",
    "with a zone without a colon": "2026-01-31T12:00:00+0530", "of the 60th second": "2026-01-31T12:00:60Z", "of the 24th hour": "2026-01-31T24:00:00Z",
    "of the 30th of February": "2026-02-30T12:00:00Z", "of the year 10000": "10000-01-01T00:00:00Z",
    "with a comma": "2026-01-31T12:00:00,5Z", "with blanks around": " 2026-01-31T12:00:00Z ", "of a leap day": "2024-02-29T00:00:00Z", "with one digit": "2026-1-31T12:00:00Z",
    "without a fraction behind the point": "2026-01-31T12:00:00.Z",
}
JSON = {
    "blanks around": ' \n[{"labels":{"a":"x"}}]\t', "a comma too much": '[{"labels":{"a":"x"}},]', "a comma too much in an object": '[{"labels":{"a":"x",}}]',
    "a comment": '[{"labels":{"a":"x"}} /* why */]', "single quotes": "[{'labels':{'a':'x'}}]", "an escape": '[{"labels":{"\\u0061":"\\u00e4\\t\\/"}}]',
    "a pair of surrogates": '[{"labels":{"a":"\\ud83d\\ude00"}}]', 
    "a line in a text": '[{"labels":{"a":"x\ny"}}]', "an unknown escape": '[{"labels":{"a":"\\x"}}]',
    "a list of lists": '[[{"labels":{"a":"x"}}]]', "true": "true", "an annotation of a number": '[{"labels":{"a":"x"},"annotations":{"s":1}}]',
    "an annotation of null": '[{"labels":{"a":"x"},"annotations":{"s":null}}]', "an empty annotation name": '[{"labels":{"a":"x"},"annotations":{"":"x"}}]',
    "more that nobody asked for": '[{"labels":{"a":"x"},"status":{"state":"active"},"fingerprint":"00","receivers":[],"updatedAt":"x"}]',
    "an unknown key with anything in it": '[{"labels":{"a":"x"},"other":{"a":[1,{"b":null}]}}]', "a link with umlauts": '[{"labels":{"a":"x"},"generatorURL":"http://hö/ä?ö=ü"}]',
    "a link of mail": '[{"labels":{"a":"x"},"generatorURL":"mailto:a@b"}]', "a link with bad percents": '[{"labels":{"a":"x"},"generatorURL":"http://h/%zz"}]',
    "a link with two slashes in its path": '[{"labels":{"a":"x"},"generatorURL":"/a//b:c"}]', "a link of an address in brackets": '[{"labels":{"a":"x"},"generatorURL":"http://[::1]:90/x"}]',
    "a link with somebody's name": '[{"labels":{"a":"x"},"generatorURL":"http://a:b@h/x"}]', "a link with bad percents in its query": '[{"labels":{"a":"x"},"generatorURL":"http://h/?x=%zz"}]',
    "a link with a port that is none": '[{"labels":{"a":"x"},"generatorURL":"http://h:port/"}]',
}
PATTERNS = ("[", "*", "a{2,1}", "(?P<x>a)", "\\p{L}+", "(?i)a", "a|b", "\\", ".{1001}", "(?=a)", "a\\b", "[[:alpha:]]+", "x{0}", "^$", "(a)\\1", "(?s).", "\\Qa.b\\E")


def cases():
    """By name."""
    out = {"an end of the year 9999": [post(alert(a="x", starts="2001-01-01T00:00:00Z", ends="9999-12-31T23:59:59Z"))]}
    for name, text in TIMES.items():
        out[f"a start {name}"] = posted([alert(a="x", starts=text)])
        out[f"an end {name}"] = posted([alert(a="x", starts="2001-01-01T00:00:00Z", ends=text)])
        out[f"a silence that ends at a time {name}"] = posted_silence(silence(A, starts="2001-01-01T00:00:00Z", ends=text)[2])
    for name, text in JSON.items():
        out[f"alerts: {name}"] = posted(text)
    for text in PATTERNS:
        out[f"a silence of the pattern {text}"] = [SOME, silence(matcher("alertname", text, True), matcher("z", "y", False, False)), get("alerts", "alertname=~A|B"), get("silences")]
        out[f"filter alertname=~{text}"] = [SOME, get("alerts", f"alertname=~{text}"), get("alerts", f'alertname!~"{text}"')]
    out.update(silence_cases())
    out.update(address_cases())
    return out


def silence_cases():
    pick = get("silences")
    return {
        "changed by the id that it had before": [silence(A), silence(B, id="$1"), silence(A, id="$1"), pick],
        "changed in its matchers twice": [silence(A), silence(B, id="$1"), silence(A, id="$2"), pick],
        "changed and the old one ended": [silence(A), silence(B, id="$1"), end("$1"), pick],
        "changed in its author": [silence(A), silence(A, id="$1", createdBy="bob"), pick],
        "changed to an empty author": [silence(A), silence(A, id="$1", createdBy=""), pick],
        "changed without matchers": [silence(A), silence(id="$1"), pick],
        "changed in more matchers": [silence(A), silence(A, matcher("sev", "hi"), id="$1"), pick],
        "changed in fewer matchers": [silence(A, matcher("sev", "hi")), silence(A, id="$1"), pick],
        "changed in a matcher that is there twice": [silence(A, A), silence(A, id="$1"), pick],
        "changed from equal to a pattern": [silence(A), silence(matcher("alertname", "A", True), id="$1"), pick],
        "changed with the state of a silence": [silence(A), silence(A, id="$1", status={"state": "expired"}, updatedAt="2001-01-01T00:00:00Z"), pick],
        "one to come changed in its end alone": [silence(A, starts="@+600"), silence(A, id="$1", starts="@+600", ends="@+900"), pick],
        "one to come changed to end before it starts": [silence(A, starts="@+600"), silence(A, id="$1", starts="@+600", ends="@+500"), pick],
        "one to come is ended and changed": [silence(A, starts="@+600"), end("$1"), silence(A, id="$1", starts="@+600"), pick],
        "one that is over is changed to come": [silence(A), end("$1"), silence(A, id="$1", starts="@+600"), pick],
        "a silence begins in the past and its change does": [silence(A, starts="@-600"), silence(A, id="$1", starts="@-600"), pick],
        "an id with an upper case letter": [silence(A, id="ABCDEFAB-0000-4000-8000-000000000000")],
        "an id of another kind": [silence(A, id="00000000-0000-1000-8000-000000000000")],
        "silences by two filters": [silence(A), silence(A, matcher("sev", "hi")), get("silences", "alertname=A", "sev=hi"), get("silences", "sev=hi")],
        "silences by what they have not": [silence(A), silence(B), get("silences", "alertname!=A"), get("silences", "sev="), get("silences", "sev!=hi")],
        "silences by their patterns": [silence(matcher("alertname", "A.*", True)), get("silences", "alertname=A.*"), get("silences", 'alertname=~"A.*"'), get("silences", "alertname=~A..")],
        "silences by a label of which they say no": [silence(matcher("alertname", "A", False, False)), get("silences", "alertname=A"), get("silences", "alertname!=A")],
        "an alert that is silenced by three": [SOME, silence(A), silence(matcher("sev", "hi")), silence(matcher("cluster", ".+", True), A), get("alerts", "alertname=A")],
        "a silence with a name of a colon": posted_silence(silence(matcher("a:b", "x"))[2]),
        "a silence of a long value": posted_silence(silence(matcher("a", "x" * 5000))[2]),
        "a silence of nothing but blanks": posted_silence(silence(matcher("a", "  "), comment="  ", createdBy=" ")[2]),
        "a silence with a zero byte": posted_silence(silence(matcher("a", "x\0y"))[2]),
        "a silence with annotations": posted_silence(silence(A, annotations={"a": "b"})[2]),
    }


def address_cases():
    def at(target, method="GET", body=None):
        return (method, target, body)
    return {
        "blanks as plus": [SOME, at("/api/v2/alerts?filter=alertname+%3D+A")],
        "half a letter in a filter": [SOME, at("/api/v2/alerts?filter=alertname%3D%C3")],
        "filters with brackets": [SOME, at("/api/v2/alerts?filter[]=alertname%3DA")],
        "an empty filter beside another": [SOME, at("/api/v2/alerts?filter=&filter=alertname%3DA")],
        "ampersands alone": [SOME, at("/api/v2/alerts?&&filter=alertname%3DA&")],
        "an equals sign in the value": [SOME, at("/api/v2/alerts?filter=quote=~a.b")],
        "a filter of two": [SOME, at("/api/v2/alerts?filter=alertname%3D%22B%22%2Ccluster%3D%22c%22")],
        "a filter in capitals": [SOME, at("/api/v2/alerts?FILTER=alertname%3DA")],
        "a parameter of a path": [SOME, at("/api/v2/alerts?receiver=with%20space%2Fslash")],
        "a fragment": [SOME, at("/api/v2/alerts?filter=alertname%3DA%23x")],
        "an alert by its fingerprint": [SOME, at("/api/v2/alerts/00")],
        "a silence by the wrong word": [silence(A), at("/api/v2/silences/$1"), at("/api/v2/silence")],
        "a version that is none": [at("/api/v3/alerts"), at("/api/alerts")],
        "a silence that is posted by id": [silence(A), at("/api/v2/silence/$1", "POST", "{}"), at("/api/v2/silence/$1", "PUT", "{}")],
        "alerts are put": [at("/api/v2/alerts", "PUT", "[]"), at("/api/v2/alerts", "DELETE"), at("/api/v2/silence/" + UNKNOWN, "PATCH", "{}")],
    }
