"""More timelines, in the form of alert_timelines.py: what lies just beside what those hold. Groups that wait long or look often,
that empty and fill again; silences that change in flight; inhibition by several labels and in chains; intervals around the ends
of months; conditions in each way of writing them.

Where nothing else is said a group is looked at 1, 4, 7, 10 and 13 s after its first alert. URL in the keys of a receiver is its own.
"""
from peers.alert_timelines import A, B, B_GONE, GONE, HIGH, LOW, alert, expire, silence

C, C_GONE = alert("C"), alert("C", ended=True)
X, Y, Z = alert("A", team="x"), alert("B", team="y"), alert("C", team="z")
# Rules that the timelines here need, beside those of the test itself.
INHIBIT = """
- {source_matchers: [role=~"src|both"], target_matchers: [role=~"dst|both"], equal: [case, z1, z2]}
- {source_match: {old: s}, target_match_re: {old: 't.*'}, equal: [case]}
- {source_matchers: [same=y], target_matchers: [same=y], equal: [case]}
- {source_matchers: [step="1"], target_matchers: [step="2"], equal: [case]}
- {source_matchers: [step="2"], target_matchers: [step="3"], equal: [case]}
- {source_matchers: ['nobody!=""', 'team!~"x.*"'], target_matchers: ['nobody=""', 'far=y'], equal: [case]}
"""

WAITS = {
    "the_wait_is_cut_short": ("", "", [(0, A), (0.4, alert("B", starts=-600))]),
    "a_long_wait_is_cut_short": (", group_wait: 12s", "", [(0, A), (2.5, alert("B", starts=-600)), (4, C)]),
    "all_is_over_before_a_long_wait": (", group_wait: 8s", "", [(0, A), (2.5, B), (4.5, GONE), (5, B_GONE)]),
    "one_of_two_is_over_before_a_long_wait": (", group_wait: 8s", "", [(0, A), (2.5, B), (4.5, GONE)]),
    "looks_more_often_than_it_waits": (", group_wait: 5s, group_interval: 2s", "", [(0, A), (6, B), (8, GONE), (10, B_GONE)]),
    "repeats_once_an_interval_has_passed_after_it": (", repeat_interval: 3500ms", "", [(0, A)]),
    "what_joins_begins_the_repeat_anew": (", repeat_interval: 5s", "", [(0, A), (2.5, B)]),
    "what_ends_begins_the_repeat_anew": (", repeat_interval: 5s", "", [(0, A), (0.2, B), (2.5, B_GONE)]),
    "silenced_when_it_would_repeat": (", repeat_interval: 5s", "", [(0, A), (5.5, silence("A", 8.5))]),
    "one_silenced_when_both_would_repeat": (", repeat_interval: 5s", "", [(0, A), (0.2, B), (5.5, silence("A", 60))]),
}
FILLS = {
    "empty_and_filled_by_the_same_one": ("", "", [(0, A), (2.5, GONE), (5.5, alert("A", starts=5.5)), (8.5, GONE), (11.5, alert("A", starts=11.5))]),
    "empty_and_filled_by_one_of_long_ago": ("", "", [(0, A), (2.5, GONE), (5.5, alert("B", starts=-600))]),
    "three_turns_between_two_looks": ("", "", [(0, A), (1.6, GONE), (2, alert("A", starts=2)), (2.4, GONE), (2.8, alert("A", starts=2.8))]),
    "the_end_brings_other_annotations": ("", "", [(0, alert("A", annotations={"s": "1"})), (5.5, alert("A", ended=True, annotations={"s": "2"}))]),
    "an_earlier_start_is_no_news": ("", "", [(0, A), (5.5, alert("A", starts=-100)), (8.5, B)]),
    "over_by_itself_and_back": ("", "", [(0, alert("A", ends=2.5)), (5.5, alert("A", ends=60))]),
    "said_to_end_and_then_ended_at_once": ("", "", [(0, A), (1.6, alert("A", ends=8.5)), (2.5, GONE)]),
    "one_goes_as_three_come": ("", "", [(0, A), (5.5, B), (5.6, C), (5.7, GONE), (5.8, alert("D"))]),
    "all_go_but_the_last": ("", "", [(0, A), (0.2, B), (0.3, C), (2.5, GONE), (2.6, C_GONE), (8.5, B_GONE)]),
    "not_told_of_ends_one_goes_as_one_comes": ("", ", send_resolved: false", [(0, A), (0.2, B), (5.5, GONE), (5.6, C)]),
    "not_told_of_ends_and_filled_again": ("", ", send_resolved: false", [(0, A), (2.5, GONE), (8.5, alert("A", starts=8.5)), (11.5, B)]),
    "one_of_many_with_ends": ("", ", max_alerts: 1", [(0, A), (0.1, B), (0.2, C), (5.5, GONE)]),
    "none_is_all_of_many": ("", ", max_alerts: 0", [(0, A), (0.1, B), (0.2, C)]),
    "two_ways_of_which_one_hears_no_ends": ("", "}, {url: 'URL', send_resolved: false", [(0, A), (0.2, B), (5.5, GONE), (8.5, B_GONE)]),
}
SILENCES = {
    "silenced_while_it_waits": (", group_wait: 3s", "", [(0, A), (1.5, silence("A", 60)), (1.6, B)]),
    "silenced_no_more_when_the_wait_ends": (", group_wait: 3s", "", [(0, silence("A", 1.5)), (0.2, A)]),
    "a_silence_that_is_over_is_made_longer": ("", "", [(0, silence("A", 2.5)), (0.2, A), (5.5, silence("A", 60, number=0)), (5.7, B)]),
    "there_and_back_to_its_alert": ("", "", [(0, silence("A", 60)), (0.2, A), (0.3, B), (2.5, silence("B", 60, number=0)), (5.5, silence("A", 60, number=1))]),
    "one_to_come_is_made_to_begin_now": ("", "", [(0, silence("A", 60, start=40)), (0.2, A), (5.5, silence("A", 60, number=0)), (5.6, B)]),
    "by_a_pattern_of_another_tongue": ("", "", [(0, silence("gr.n", 60, regex=True, label="team")), (0.2, alert("A", team="grün")), (0.3, alert("B", team="gruen"))]),
    "of_a_label_that_is_missing": ("", "", [(0, silence("", 60, label="team")), (0.2, A), (0.3, alert("B", team="x"))]),
    "of_none_of_a_pattern": ("", "", [(0, silence("x.*", 60, regex=True, equal=False, label="team")), (0.2, A), (0.3, alert("B", team="xy"))]),
    "by_a_pattern_that_takes_nothing_too": ("", "", [(0, silence("x*", 60, regex=True, label="team")), (0.2, A), (0.3, X), (0.4, Y)]),
    "silenced_then_inhibited": ("", "", [(0, silence("A", 5.5)), (0.2, LOW), (4.6, HIGH), (11.5, alert("S", ended=True, sev="hi"))]),
    "the_end_comes_between_two_silences": ("", "", [(0, A), (1.6, silence("A", 5.5)), (6, GONE)]),
    "ended_silence_and_new_alert": ("", "", [(0, silence("A", 60)), (0.2, A), (5.5, expire(0)), (5.6, B)]),
}
ONE, TWO, THREE = (alert(name, step=step) for name, step in (("S", "1"), ("M", "2"), ("T", "3")))
INHIBITIONS = {
    "two_labels_that_both_lack": (", group_by: []", "", [(0, alert("S", role="src")), (0.2, alert("T", role="dst"))]),
    "one_of_two_labels_that_one_lacks": (", group_by: []", "", [(0, alert("S", role="src", z1="a", z2="b")), (0.2, alert("T", role="dst", z1="a"))]),
    "two_labels_one_alike": (", group_by: []", "", [(0, alert("S", role="src", z1="a", z2="b")), (0.2, alert("T", role="dst", z1="a", z2="c")), (0.3, alert("U", role="dst", z1="a", z2="b"))]),
    "both_roles_and_a_source": (", group_by: []", "", [(0, alert("S", role="src")), (0.2, alert("T", role="both")), (0.3, alert("U", role="dst"))]),
    "both_roles_alone": (", group_by: []", "", [(0, alert("S", role="both")), (0.2, alert("T", role="both")), (0.3, alert("U", role="dst"))]),
    "source_is_target": (", group_by: []", "", [(0, alert("S", same="y")), (0.2, alert("T", same="y"))]),
    "in_the_old_syntax": (", group_by: []", "", [(0, alert("S", old="s")), (0.2, alert("T", old="tx")), (0.3, alert("U", old="xt"))]),
    "by_one_that_is_inhibited": (", group_by: []", "", [(0, ONE), (0.1, TWO), (0.2, THREE)]),
    "the_first_of_a_chain_ends": (", group_by: []", "", [(0, ONE), (0.1, TWO), (0.2, THREE), (5.5, alert("S", ended=True, step="1"))]),
    "the_middle_of_a_chain_ends": (", group_by: []", "", [(0, ONE), (0.1, TWO), (0.2, THREE), (5.5, alert("M", ended=True, step="2"))]),
    "the_source_is_back_between_two_looks": (", group_by: []", "", [(0, HIGH), (0.2, LOW), (5, alert("S", ended=True, sev="hi")), (5.8, alert("S", starts=5.8, sev="hi"))]),
    "by_what_is_missing": (", group_by: []", "", [(0, alert("S", nobody="n", team="y")), (0.2, alert("T", far="y")), (0.3, alert("U", nobody="n", team="xy", far="y"))]),
    "fires_and_ends_while_inhibited": (", group_by: []", "", [(0, HIGH), (0.2, LOW), (2.5, alert("A", ended=True, sev="lo")), (5.5, alert("S", ended=True, sev="hi")), (8.5, alert("A", starts=8.5, sev="lo"))]),
}
TWICE = [(0, X), (0.2, Y), (0.3, A)]
ROUTES = {
    "goes_on_past_one_that_is_muted": (", routes: [{matchers: [team=x], mute_time_intervals: [always], group_by: [team], continue: true}, {matchers: [team=~'x|y']}]", "", TWICE),
    "goes_on_through_three": (", routes: [{matchers: [team=x], continue: true}, {matchers: [team=~'x|y'], continue: true}, {group_by: [team]}]", "", TWICE),
    "two_alike_go_on": (", routes: [{matchers: [team=x], continue: true}, {matchers: [team=x]}]", "", TWICE),
    "goes_on_at_the_end_of_an_inner_one": (", routes: [{matchers: [team=~'x|y'], continue: true, routes: [{matchers: [team=x], group_by: [team]}]}, {group_by: [alertname, team]}]", "", TWICE),
    "in_braces": (", group_by: [], routes: [{matchers: ['{team=\"x\",alertname=~\"A|B\"}'], group_by: [team]}]", "", TWICE),
    "with_blanks": (", group_by: [], routes: [{matchers: [' team = \"x\" '], group_by: [team]}, {matchers: ['team=~ x|y'], group_by: [alertname]}]", "", TWICE),
    "several_in_one_text": (", group_by: [], routes: [{matchers: ['team=x, alertname=A'], group_by: [team]}]", "", [*TWICE, (0.4, alert("B", team="x"))]),
    "a_value_with_an_equals_sign": (", group_by: [], routes: [{matchers: ['team=a=b'], group_by: [team]}]", "", [(0, alert("A", team="a=b")), (0.2, alert("B", team="a"))]),
    "a_value_of_two_lines": (", group_by: [], routes: [{matchers: ['team=\"a\\nb\"'], group_by: [team]}, {matchers: ['team=~\"a.b\"'], group_by: [alertname]}]", "",
                             [(0, alert("A", team="a\nb")), (0.2, alert("B", team="a-b"))]),
    "a_pattern_of_the_empty_text": (", group_by: [], routes: [{matchers: ['team=~\"\"'], group_by: [alertname]}, {matchers: ['team!~\"\"'], group_by: [team]}]", "", TWICE),
    "a_pattern_of_a_class_of_letters": (", group_by: [], routes: [{matchers: ['team=~\"\\\\p{L}+\"'], group_by: [team]}]", "", [(0, alert("A", team="grün")), (0.2, alert("B", team="x1"))]),
    "a_pattern_with_anchors": (", group_by: [], routes: [{match_re: {team: '^x$'}, group_by: [team]}]", "", [*TWICE, (0.4, alert("B", team="xx"))]),
    "an_old_value_in_quotes": (", group_by: [], routes: [{match: {team: '\"x\"'}, group_by: [team]}]", "", [(0, alert("A", team='"x"')), (0.2, X)]),
    "by_labels_of_which_some_are_missing": (", group_by: [team, tier, alertname]", "", [*TWICE, (0.4, alert("A", tier="t"))]),
}
# The days are those of now, so that at the end of a month they say something, and on other days something else.
INTERVALS = {
    "the_31st": "days_of_month: ['31']", "from_the_30th": "days_of_month: ['30:31']", "the_last": "days_of_month: ['-1']", "the_last_three": "days_of_month: ['-3:-1']",
    "all_from_the_end": "days_of_month: ['-31:-1']", "all_to_the_end": "days_of_month: ['1:-1']", "the_first_from_the_end": "days_of_month: ['-31:-28']",
    "from_the_27th_to_the_end": "days_of_month: ['27:-1']", "two_lists_of_days": "days_of_month: ['1:15', '-15:-1']", "half_the_months": "months: ['1:6', 'july']",
    "the_other_months": "months: ['august:november', '12']", "half_the_week": "weekdays: ['sunday:tuesday']", "the_other_half": "weekdays: ['wednesday:friday', 'saturday']",
    "years_apart": "years: ['1990:2000', '2020:2099']", "two_times": "times: [{start_time: '00:00', end_time: '12:00'}, {start_time: '12:00', end_time: '24:00'}]",
    "no_conditions": "", "the_morning_far_east": "times: [{start_time: '00:00', end_time: '12:00'}], location: Pacific/Kiritimati",
    "the_morning_far_west": "times: [{start_time: '00:00', end_time: '12:00'}], location: Etc/GMT+12",
}


def intervals():
    """By name, as YAML."""
    return {name: f"{{{text}}}" for name, text in INTERVALS.items()} | {"one_of_two": "{years: ['1999']}, {months: ['1:12']}", "neither_of_two": "{years: ['1999']}, {years: ['1998']}"}


def timelines():
    """The names say where they are from, since some have the same one."""
    out = {}
    for part, those in (("waits", WAITS), ("fills", FILLS), ("silences", SILENCES), ("inhibitions", INHIBITIONS), ("routes", ROUTES)):
        out |= {f"{part}_{name}": one for name, one in those.items()}
    for number, name in enumerate(intervals()):
        key = ("mute", "active")[number % 2]
        out[f"{key}_at_{name}"] = (f", {key}_time_intervals: [{name}]", "", [(0, A)])
    return out
