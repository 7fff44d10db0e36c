"""What happens to alerts and silences, by timeline: more keys of its route, more of its receiver, and [(second, what)...].

Nothing happens when a group is looked at: at 1, 4, 7, 10 and 13 s after its first alert. Each timeline has its own route, with
`case` as its name in all labels.
"""
import calendar
import datetime
import zoneinfo

WAIT, EACH, END = 1, 3, 17  # seconds: group_wait, group_interval, and when all is over


def alert(name, ended=False, starts=0.0, ends=None, annotations=None, **labels):
    """`starts`, `ends`: seconds of the timeline. One that has `ended` did so when it is told of."""
    return {"labels": {"alertname": name, **labels}, "ended": ended, "starts": starts, "ends": ends, "annotations": annotations or {}}


def silence(name, until, start=None, regex=False, equal=True, label="alertname", number=None):
    """Of alerts whose label is the name; `number`: a change of the silence that came so many before."""
    return {"silence": {"name": label, "value": name, "isRegex": regex, "isEqual": equal}, "until": until, "start": start, "number": number}


def expire(number):
    """The silence that came as the so many of its timeline, from 0."""
    return {"expire": number}


A, B = alert("A"), alert("B")
GONE, B_GONE = alert("A", ended=True), alert("B", ended=True)
HIGH, LOW = alert("S", sev="hi"), alert("A", sev="lo")
HIGH_GONE, LOW_GONE = alert("S", ended=True, sev="hi"), alert("A", ended=True, sev="lo")

FIRST = {
    "fires": ("", "", [(0, A)]),
    "ends": ("", "", [(0, A), (5.5, GONE)]),
    "ends_before_anybody_is_told": ("", "", [(0, A), (0.3, GONE)]),
    "two_together": ("", "", [(0, A), (0.3, B)]),
    "another_joins": ("", "", [(0, A), (5.5, B)]),
    "one_of_two_ends": ("", "", [(0, A), (0.3, B), (5.5, GONE)]),
    "both_end": ("", "", [(0, A), (0.3, B), (5.5, GONE), (5.6, B_GONE)]),
    "one_ends_as_another_joins": ("", "", [(0, A), (5.5, GONE), (5.6, B)]),
    "ends_and_fires_anew": ("", "", [(0, A), (5.5, GONE), (8.5, A)]),
    "ends_and_fires_between_two_looks": ("", "", [(0, A), (5.0, GONE), (5.8, A)]),
    "resolves_are_not_told": ("", ", send_resolved: false", [(0, A), (5.5, GONE), (11.5, A)]),
    "repeats": (", repeat_interval: 5s", "", [(0, A)]),
    "told_again_and_again": ("", "", [(0, A), (2, A), (5.5, A), (8.5, A)]),
    "by_a_label": (", group_by: [team]", "", [(0, alert("A", team="x")), (0.2, alert("B", team="x")), (0.3, alert("A", team="y"))]),
    "by_all_labels": (", group_by: ['...']", "", [(0, alert("A", team="x")), (0.2, alert("A", team="y"))]),
    "a_label_that_is_missing": (", group_by: [team]", "", [(0, A), (0.3, B)]),
    "silenced": ("", "", [(0, silence("A", 60)), (0.3, A), (0.4, B)]),
    "silenced_once_told": ("", "", [(0, A), (5.5, silence("A", 60)), (5.6, B)]),
    "silenced_and_ended": ("", "", [(0, A), (5.5, silence("A", 60)), (8.5, GONE)]),
    "a_silence_ends": ("", "", [(0, silence("A", 5.5)), (0.3, A)]),
    "inhibited": ("", "", [(0, alert("Source", sev="hi")), (0.2, LOW)]),
    "inhibited_once_told": ("", "", [(0, LOW), (5.5, alert("Source", sev="hi"))]),
    "an_inhibition_ends": ("", "", [(0, alert("Source", sev="hi")), (0.2, LOW), (5.5, alert("Source", ended=True, sev="hi"))]),
    "never": (", mute_time_intervals: [always]", "", [(0, A)]),
    "always": (", active_time_intervals: [always]", "", [(0, A)]),
    "outside": (", active_time_intervals: [never]", "", [(0, A)]),
    "not_muted": (", mute_time_intervals: [never]", "", [(0, A)]),
    "within_a_route": (", routes: [{matchers: [team=~\"x|y\"], group_by: [team], continue: true}, {match: {team: x}}]", "",
                       [(0, alert("A", team="x")), (0.2, alert("A", team="z"))]),
}
ROUTES = {
    "continues_to_the_next": (", routes: [{matchers: [team=x], group_by: [team], continue: true}, {matchers: [team=~'x|y'], group_by: [alertname]}]", "",
                              [(0, alert("A", team="x")), (0.2, alert("B", team="y"))]),
    "ends_at_the_first": (", routes: [{matchers: [team=x], group_by: [team]}, {matchers: [team=~'x|y'], group_by: [alertname]}]", "",
                          [(0, alert("A", team="x")), (0.2, alert("B", team="y"))]),
    "three_deep": (", routes: [{matchers: [team=x], routes: [{matchers: [tier=gold], group_by: [tier], routes: [{matchers: [alertname=A], group_by: [team, tier]}]}]}]", "",
                   [(0, alert("A", team="x", tier="gold")), (0.2, alert("B", team="x", tier="gold")), (0.3, alert("C", team="x"))]),
    "none_of_the_inner_ones": (", group_by: [team], routes: [{matchers: [team=x], group_by: [alertname]}]", "", [(0, alert("A", team="y"))]),
    "a_pattern_is_of_the_whole": (", group_by: [], routes: [{match_re: {team: 'x|yy'}, group_by: [team]}]", "",
                                  [(0, alert("A", team="x")), (0.2, alert("A", team="xx")), (0.3, alert("A", team="yy"))]),
    "a_label_must_be_missing": (", group_by: [], routes: [{matchers: ['team=\"\"'], group_by: [alertname]}]", "", [(0, A), (0.2, alert("B", team="y"))]),
    "a_pattern_takes_the_missing": (", group_by: [], routes: [{matchers: ['team=~\"x|\"'], group_by: [alertname]}]", "", [(0, A), (0.2, alert("B", team="x")), (0.3, alert("C", team="y"))]),
    "not_equal_takes_the_missing": (", group_by: [], routes: [{matchers: ['team!=x'], group_by: [alertname]}]", "", [(0, A), (0.2, alert("B", team="x"))]),
    "not_a_pattern": (", group_by: [], routes: [{matchers: ['team!~\"x.*\"'], group_by: [alertname]}]", "", [(0, alert("A", team="xy")), (0.2, alert("B", team="y"))]),
    "both_kinds_of_matchers": (", group_by: [], routes: [{match: {team: x}, match_re: {tier: 'g.*'}, matchers: [alertname=A], group_by: [tier]}]", "",
                               [(0, alert("A", team="x", tier="gold")), (0.2, alert("A", team="x", tier="iron")), (0.3, alert("B", team="x", tier="gold"))]),
    "a_value_with_a_comma_and_quotes": (", group_by: [], routes: [{matchers: ['team=\"a,\\\"b\"'], group_by: [team]}]", "", [(0, alert("A", team='a,"b')), (0.2, alert("B", team="a"))]),
    "a_value_in_another_tongue": (", group_by: [], routes: [{matchers: ['team=\"grün\"'], group_by: [team]}]", "", [(0, alert("A", team="grün"))]),
    "all_labels_and_then_one": (", group_by: ['...'], routes: [{matchers: [team=x], group_by: [team]}]", "",
                                [(0, alert("A", team="x")), (0.2, alert("B", team="x")), (0.3, alert("A", team="y")), (0.4, alert("B", team="y"))]),
    "by_nothing": (", group_by: []", "", [(0, A), (0.2, alert("B", team="x")), (0.3, alert("A", team="y"))]),
    "an_inner_wait": (", routes: [{matchers: [team=x], group_wait: 3s}]", "", [(0, alert("A", team="x")), (0.2, A)]),
    "an_inner_interval": (", routes: [{matchers: [team=x], group_interval: 6s}]", "", [(0, alert("A", team="x")), (2.5, alert("B", team="x")), (8.8, alert("C", team="x"))]),
    "an_inner_repeat": (", routes: [{matchers: [team=x], repeat_interval: 4s}]", "", [(0, alert("A", team="x"))]),
    "no_wait": (", group_wait: 0s", "", [(0, A), (1.6, B)]),
    "repeats_faster_than_it_looks": (", repeat_interval: 1s", "", [(0, A)]),
    "repeats_until_it_ends": (", repeat_interval: 5s", "", [(0, A), (8.5, GONE)]),
    "repeats_of_two": (", repeat_interval: 5s", "", [(0, A), (0.2, B), (5.5, B_GONE)]),
    "repeats_where_resolves_are_not_told": (", repeat_interval: 5s", ", send_resolved: false", [(0, A), (0.2, B), (5.5, B_GONE)]),
    "few_of_many": ("", ", max_alerts: 2", [(0, A), (0.1, B), (0.2, alert("C")), (0.3, alert("D"))]),
}
ALERTS = {
    "began_long_ago": ("", "", [(0, alert("A", starts=-60))]),
    "joined_by_one_that_began_long_ago": ("", "", [(0, A), (2.5, alert("B", starts=-600))]),
    "begins_later": ("", "", [(0, alert("A", starts=20, ends=60))]),
    "ends_by_itself": ("", "", [(0, alert("A", ends=5.5))]),
    "is_said_to_go_on": ("", "", [(0, alert("A", ends=5.5)), (3, alert("A", ends=30))]),
    "is_said_to_end_sooner": ("", "", [(0, alert("A", ends=30)), (3, alert("A", ends=5.5))]),
    "other_annotations": ("", "", [(0, alert("A", annotations={"s": "1"})), (5.5, alert("A", annotations={"s": "2"}))]),
    "ends_and_joins_an_old_group": ("", "", [(0, A), (2.5, GONE), (5.5, B)]),
    "two_end_one_after_the_other": ("", "", [(0, A), (0.2, B), (2.5, GONE), (5.5, B_GONE)]),
    "fires_ends_fires_ends": ("", "", [(0, A), (2.5, GONE), (5.5, alert("A", starts=5.5)), (8.5, GONE)]),
    "the_end_is_told_twice": ("", "", [(0, A), (2.5, GONE), (5.5, GONE)]),
    "only_the_end_is_told": ("", "", [(0, GONE)]),
    "resolves_of_two_are_not_told": ("", ", send_resolved: false", [(0, A), (0.2, B), (2.5, GONE), (5.5, B_GONE), (8.5, A)]),
    "told_of_in_the_order_of_job_and_instance": (", group_by: []", "", [(0, alert("A", instance="2", job="b")), (0.1, alert("B", instance="1", job="b")), (0.2, alert("C", job="a"))]),
}
SILENCES = {
    "a_silence_to_come": ("", "", [(0, silence("A", 60, start=5.5)), (0.2, A), (5.6, B)]),
    "a_silence_is_ended": ("", "", [(0, silence("A", 60)), (0.2, A), (5.5, expire(0))]),
    "one_to_come_is_ended": ("", "", [(0, silence("A", 60, start=30)), (0.2, A), (0.3, expire(0))]),
    "a_silence_is_made_longer": ("", "", [(0, silence("A", 5.5)), (0.2, A), (2.5, silence("A", 60, number=0))]),
    "a_silence_is_made_shorter": ("", "", [(0, silence("A", 60)), (0.2, A), (2.5, silence("A", 5.5, number=0))]),
    "a_silence_becomes_another": ("", "", [(0, silence("A", 60)), (0.2, A), (0.3, B), (5.5, silence("B", 60, number=0))]),
    "a_pattern_silences": ("", "", [(0, silence("A|C.*", 60, regex=True)), (0.2, A), (0.3, B), (0.4, alert("CC"))]),
    "all_but_one_are_silenced": ("", "", [(0, silence("A", 60, equal=False)), (0.2, A), (0.3, B)]),
    "all_but_a_pattern": ("", "", [(0, silence("A|B", 60, regex=True, equal=False)), (0.2, A), (0.3, B), (0.4, alert("C"))]),
    "two_silences_and_one_ends": ("", "", [(0, silence("A", 60)), (0.1, silence("A", 5.5)), (0.2, A)]),
    "ends_while_silenced": ("", "", [(0, silence("A", 60)), (0.2, A), (2.5, GONE), (5.5, B)]),
    "ends_while_silenced_and_fires_after_it": ("", "", [(0, A), (2.5, silence("A", 8.5)), (5.5, GONE), (11.5, alert("A", starts=11.5))]),
    "silenced_and_told_again_by_repeat": (", repeat_interval: 5s", "", [(0, A), (2.5, silence("A", 8.5))]),
    "one_of_two_is_silenced": ("", "", [(0, A), (0.2, B), (2.5, silence("A", 60)), (5.5, B_GONE)]),
}
INHIBITIONS = {
    "a_label_that_both_lack": (", group_by: []", "", [(0, HIGH), (0.2, LOW)]),
    "a_label_that_one_lacks": (", group_by: []", "", [(0, alert("S", sev="hi", zone="z")), (0.2, LOW)]),
    "another_value": (", group_by: []", "", [(0, alert("S", sev="hi", zone="z")), (0.2, alert("A", sev="lo", zone="y"))]),
    "the_same_value": (", group_by: []", "", [(0, alert("S", sev="hi", zone="z")), (0.2, alert("A", sev="lo", zone="z")), (0.3, alert("B", sev="lo", zone="y"))]),
    "an_empty_value_is_none": (", group_by: []", "", [(0, alert("S", sev="hi", zone="")), (0.2, LOW)]),
    "both_sides_at_once": (", group_by: []", "", [(0, alert("S", sev="hi", also="lo")), (0.2, alert("A", also="lo")), (0.3, alert("B", sev="hi", also="lo"))]),
    "a_silenced_source": (", group_by: []", "", [(0, silence("S", 60)), (0.1, HIGH), (0.3, LOW)]),
    "ends_while_inhibited": (", group_by: []", "", [(0, LOW), (2.5, HIGH), (5.5, LOW_GONE)]),
    "the_source_ends_by_itself": (", group_by: []", "", [(0, alert("S", sev="hi", ends=5.5)), (0.2, LOW)]),
    "a_source_that_begins_later": (", group_by: []", "", [(0, alert("S", sev="hi", starts=30, ends=60)), (0.2, LOW)]),
    "one_source_of_two_ends": (", group_by: []", "", [(0, HIGH), (0.1, alert("T", sev="hi")), (0.2, LOW), (2.5, HIGH_GONE)]),
    "ended_and_inhibited_no_more": (", group_by: []", "", [(0, HIGH), (0.2, LOW), (2.5, LOW_GONE), (5.5, HIGH_GONE)]),
    "muted_and_silenced": (", mute_time_intervals: [always]", "", [(0, silence("A", 60)), (0.2, A)]),
    "muted_and_ended": (", mute_time_intervals: [always]", "", [(0, A), (5.5, GONE)]),
    "active_and_mute": (", active_time_intervals: [always], mute_time_intervals: [always]", "", [(0, A)]),
    "one_of_two_mutes": (", mute_time_intervals: [never, always]", "", [(0, A)]),
    "one_of_two_is_active": (", active_time_intervals: [never, always]", "", [(0, A)]),
    "mute_inside_only": (", routes: [{matchers: [team=x], mute_time_intervals: [always]}]", "", [(0, alert("A", team="x")), (0.2, A)]),
    "mute_is_not_inherited": (", mute_time_intervals: [always], routes: [{matchers: [team=x]}]", "", [(0, alert("A", team="x")), (0.2, A)]),
}

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")


def intervals(now):
    """By name, time intervals around `now` (seconds since 1970), half of which it is in: as YAML."""
    out = {"always": "{times: [{start_time: '00:00', end_time: '24:00'}]}", "never": "{years: ['1999']}"}
    for zone in ZONES:
        at = datetime.datetime.fromtimestamp(now, zoneinfo.ZoneInfo(zone))
        later = at + datetime.timedelta(days=2)
        length, short = calendar.monthrange(at.year, at.month)[1], zone.rpartition("/")[2]
        # The minutes around it are cut at midnight, which a range may not cross.
        minute = at.hour * 60 + at.minute
        first, last = max(0, minute - 20), min(1440, minute + 20)

        def clock(value):
            return f"'{value // 60:02}:{value % 60:02}'"
        rows = {
            "time": f"times: [{{start_time: {clock(first)}, end_time: {clock(last)}}}]",
            "other_time": f"times: [{{start_time: {clock((first + 720) % 1380)}, end_time: {clock((first + 720) % 1380 + 30)}}}]",
            "weekday": f"weekdays: ['{at.strftime('%A').lower()}']",
            "other_weekday": f"weekdays: ['{later.strftime('%A').lower()}']",
            "day_from_the_end": f"days_of_month: ['{at.day - length - 1}']",
            "other_day_from_the_end": f"days_of_month: ['{later.day - calendar.monthrange(later.year, later.month)[1] - 1}']",
            "month": f"months: ['{at.strftime('%B').lower()}'], years: ['{at.year}']",
            "all_but_the_year": f"months: ['{at.month}'], days_of_month: ['1:31'], weekdays: ['sunday:saturday'], years: ['{at.year + 1}:{at.year + 9}']",
        }
        for name, text in rows.items():
            out[f"{short}_{name}"] = f"{{{text}, location: {zone}}}"
    return out


def timelines(now):
    zones = {}
    for number, name in enumerate(intervals(now)):
        if name not in ("always", "never"):
            key = ("mute", "active")[number % 2]
            zones[f"{key}_at_{name}"] = (f", {key}_time_intervals: [{name}]", "", [(0, A)])
    return {**FIRST, **ROUTES, **ALERTS, **SILENCES, **INHIBITIONS, **zones}
