"""The data of the differential test: every shape of series that functions treat in a way of their own.

No sample stands on a whole second and every query does, so that no window ends on a sample: Prometheus 2 counts the
sample at a window's start, Prometheus 3 does not. Counters never come near zero, because the extrapolation towards
zero changed too (changes.py).
"""
import math

from peers.remote_write import STALE

BASE = 1_700_000_000  # seconds; the first query can be a little before, the last a little after
SPAN = 7_000          # seconds, less than the two hours after which Prometheus compacts
STEP_MS = 15_000


def times(random, first=0, last=SPAN, step_ms=STEP_MS, jitter=True):
    shift = random.randrange(1, 999)
    for i in range(first * 1000 // step_ms, last * 1000 // step_ms):
        at = BASE * 1000 + i * step_ms + shift
        if jitter:
            at += random.randrange(0, 9) * 1000
        yield at


def counter(random, first=0, last=SPAN, gaps=False, resets=False):
    value = random.randrange(20_000, 90_000)
    out = []
    skip = 0
    for at in times(random, first, last):
        if gaps and skip == 0 and random.random() < 0.02:
            skip = random.randrange(3, 40)
        if resets and random.random() < 0.01:
            value = random.randrange(5_000, 9_000)
        value += random.randrange(0, 60)
        if skip:
            skip -= 1
            continue
        out.append((at, float(value)))
    return out


def fractional_counter(random, digits=None):
    """Grows by fractions and is reset every few minutes, so that windows see several resets; whole digits or all bits."""
    value = random.uniform(5_000, 9_000)
    out = []
    for at in times(random):
        value = random.uniform(5_000, 9_000) if random.random() < 0.06 else value + random.uniform(0, 900)
        out.append((at, round(value, digits) if digits is not None else value))
    return out


def gauge(random, low, high, digits=None, **kind):
    out = []
    value = random.uniform(low, high)
    for at in times(random, **kind):
        value = min(high, max(low, value + random.uniform(-1, 1) * (high - low) / 20))
        out.append((at, round(value, digits) if digits is not None else value))
    return out


def special(random):
    values = [math.nan, math.inf, -math.inf, STALE, 0.0, -0.0, 1e308, 1e-300]
    return [(at, random.choice(values) if random.random() < 0.2 else random.uniform(-10, 10)) for at in times(random)]


def with_stale(samples, random, chance):
    return [(at, STALE if random.random() < chance else value) for at, value in samples]


def make(random):
    """[(labels, samples)], each series' samples in order of time."""
    out = []

    def add(name, samples, **labels):
        out.append(({"__name__": name, **labels}, samples))

    jobs = ["api", "db", "web"]
    for j, job in enumerate(jobs):
        for instance in ["a:9100", "b:9100", "c:9100"]:
            zone = ["eu", "us"][j % 2]
            for code in ["200", "500"]:
                add("requests_total", counter(random, gaps=instance == "b:9100", resets=code == "500"),
                    job=job, instance=instance, code=code)
            add("errors_total", counter(random, resets=True), job=job, instance=instance)
            add("temperature", gauge(random, -20, 45), job=job, instance=instance, zone=zone)
            add("memory_bytes", gauge(random, 1e9, 9e9, 0), job=job, instance=instance, zone=zone)
            add("up", [(at, 0.0 if random.random() < 0.1 else 1.0) for at in times(random)],
                job=job, instance=instance)
            add("replicas", [(at, float(random.randrange(1, 6))) for at in times(random)], job=job, instance=instance)
            add("build_info", [(at, 1.0) for at in times(random)],
                job=job, instance=instance, version=f"v{j}.{instance[0]}", **{"le_gende": "x" * 3})
            if instance == "c:9100":
                continue
            bounds = ["0.05", "0.1", "0.5", "1", "5", "+Inf"]
            at_all = list(times(random))
            counts = [random.randrange(10_000, 20_000) for _ in bounds]
            rows = {bound: [] for bound in bounds}
            for at in at_all:
                total = 0
                for i, bound in enumerate(bounds):
                    counts[i] += random.randrange(0, 9)
                    total += counts[i]
                    rows[bound].append((at, float(total)))
            for bound in bounds:
                add("latency_seconds_bucket", rows[bound], job=job, instance=instance, le=bound)
            add("latency_seconds_count", rows["+Inf"], job=job, instance=instance)
            add("latency_seconds_sum", [(at, value * 0.37) for at, value in rows["+Inf"]], job=job, instance=instance)
    for i in range(3):
        add("cpu_seconds_total", fractional_counter(random), job="api", instance="abc"[i] + ":9100")
        add("paid_total", fractional_counter(random, 2), job="db", instance="abc"[i] + ":9100")
    for i in range(4):
        add("special", special(random), n=str(i))
        add("flaky", with_stale(gauge(random, 0, 100, 2), random, 0.1), n=str(i))
    add("late", gauge(random, 0, 10, first=4000), n="0")
    add("early", gauge(random, 0, 10, last=2500), n="0")
    ended = gauge(random, 0, 10, last=3000)
    add("ended", ended + [(ended[-1][0] + 15_000, STALE)], n="0")
    add("sparse", gauge(random, 0, 10, step_ms=420_000), n="0")
    add("sparse", gauge(random, 0, 10, step_ms=130_000), n="1")
    add("many", gauge(random, 0, 10), **{f"label_{i}": f"value {i} é \\ \" \n" for i in range(30)})
    add("epoch", [(at, 1.5e9 + i * 86_400.0 * 3 + 3_600 * i) for i, at in enumerate(times(random))], n="0")
    add("tiny", gauge(random, -1, 1), n="0")
    add("tiny", gauge(random, -1, 1), n="1")
    return out


def slices(all_series, seconds=600):
    """The same, cut along time: Prometheus takes nothing that is an hour older than its newest sample."""
    for first in range(BASE, BASE + SPAN + seconds, seconds):
        part = []
        for labels, samples in all_series:
            inside = [s for s in samples if first * 1000 <= s[0] < (first + seconds) * 1000]
            if inside:
                part.append((labels, inside))
        if part:
            yield part
