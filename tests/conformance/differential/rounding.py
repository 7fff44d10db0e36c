"""Numbers to the last bit: which operations may differ from Prometheus 2.42 there, by how much and why, and the sums and
means of Prometheus 3 to compare with where 2.42 had others. What is not named here is equal to the last bit.
"""
import fractions
import math
import re
import struct

GO = "Go has approximations of its own; those of the C library are nearer to the true value"
ORDER = "depends on the order of series, which neither promises"
MEAN = "Prometheus 3 divides a compensated sum, 2.42 moves a mean from value to value"
SUM = "Prometheus 3 compensates its sums"

# Units in the last place by which each may be off when it is the outermost operation and the only one of these.
ULPS = {
    **{name: (4, GO) for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "atan2", "cos", "cosh", "exp", "ln", "sin",
                                  "sinh", "tan", "tanh")},
    # Of a number near 1 Go adds an exponent and a logarithm of opposite signs.
    "log2": (256, GO), "log10": (256, GO),
    "^": (2048, GO + "; a power takes a chain of products"),
    "sum": (16, SUM), "avg": (1024, MEAN), "avg_over_time": (1024, MEAN),
    "stddev": (1024, ORDER), "stdvar": (1024, ORDER),
}
# Of an expression around one of these. What is left where near numbers were subtracted is noise.
RELATIVE, ABSOLUTE = 1e-9, 1e-9

WORD = re.compile(r'"[^"]*"|\b[a-z_0-9]+\b|\^')


def named(expression):
    """The operations of ULPS in an expression, in order."""
    return [word for word in WORD.findall(expression) if word in ULPS]


def outside(expression):
    """An expression without texts and without what stands in parentheses."""
    out, depth = [], 0
    for char in re.sub(r'"[^"]*"', "", expression):
        depth -= char == ")"
        out.append(char if depth == 0 else "")
        depth += char == "("
    return "".join(out)


def plain(expression):
    """The one operation of ULPS in an expression that is nothing but its application to something else, or None."""
    names = named(expression)
    if len(names) != 1:
        return None
    name = re.escape(names[0])
    call = rf"-?{name}( (by|without) \(\))? *\(\)"
    operator = rf"\(\) {name} +((on|ignoring) \(\) )?(group_(left|right) \(\) )?\(\)"
    return names[0] if re.fullmatch(f"{call}|{operator}", outside(expression)) else None


def ulps(a, b):
    """How many doubles lie between two finite ones, and one more."""
    def place(x):
        bits = struct.unpack("<q", struct.pack("<d", x))[0]
        return bits if bits >= 0 else -(bits & (1 << 63) - 1)
    return abs(place(a) - place(b))


def same(a, b):
    """Whether two values as text are one double; all NaN are."""
    return a == b or struct.pack("<d", float(a)) == struct.pack("<d", float(b)) or (a == "NaN" and b == "NaN")


def close(a, b, expression):
    """Whether two values as text are what both may give for an expression."""
    if same(a, b):
        return True
    a, b = float(a), float(b)
    if not named(expression) or not math.isfinite(a) or not math.isfinite(b):
        return False
    name = plain(expression)
    if name:
        return ulps(a, b) <= ULPS[name][0]
    return abs(a - b) <= max(ABSOLUTE, RELATIVE * max(abs(a), abs(b)))


def compensated(values):
    """Sum and compensation, as Prometheus' util/kahansum has them."""
    total = compensation = 0.0
    for value in values:
        new = total + value
        if math.isinf(new):
            compensation = 0.0
        elif abs(total) >= abs(value):
            compensation += (total - new) + value
        else:
            compensation += (value - new) + total
        total = new
    return total, compensation


def sums(texts):
    """What sum_over_time may give of values as text: the compensated sum of Prometheus 3, or the exact one of decimals."""
    total, compensation = compensated(map(float, texts))
    return {total if math.isinf(total) else total + compensation, float(sum(map(fractions.Fraction, texts)))}


def means(texts):
    """The same for avg_over_time, as long as the sum does not overflow."""
    total, compensation = compensated(map(float, texts))
    return {total / len(texts) + compensation / len(texts), float(sum(map(fractions.Fraction, texts))) / len(texts)}
