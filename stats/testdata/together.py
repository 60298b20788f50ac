"""The expected numbers of TestCombineRuns, from the formulas, in decimals and without any
library: weights and tau² as fractions, Student's t by integrating its density."""
from decimal import Decimal as D, getcontext
from math import lgamma, exp, log, pi, erfc, sqrt

getcontext().prec = 40


def density(x, nu):
    return exp(lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu * pi) - (nu + 1) / 2 * log(1 + x * x / nu))


def upper(t, nu):
    """P(T > t): 1/2 minus Simpson's rule on [0, t]."""
    n = 20000
    h = t / n
    s = density(0, nu) + density(t, nu) + sum((4 if i % 2 else 2) * density(i * h, nu) for i in range(1, n))
    return 0.5 - s * h / 3


def bisect(f, low, high):
    for _ in range(70):
        mid = (low + high) / 2
        low, high = (mid, high) if f(mid) > 0 else (low, mid)
    return (low + high) / 2


def combine(runs, alpha):
    y, v = [D(r[0]) for r in runs], [D(r[1]) ** 2 for r in runs]
    k = len(runs)
    w = [1 / x for x in v]
    fixed = sum(a * b for a, b in zip(w, y)) / sum(w)
    q = sum(a * (b - fixed) ** 2 for a, b in zip(w, y))
    tau2 = max(D(0), (q - (k - 1)) / (sum(w) - sum(a * a for a in w) / sum(w)))
    u = [1 / (x + tau2) for x in v]
    mean = sum(a * b for a, b in zip(u, y)) / sum(u)
    hk = sum(a * (b - mean) ** 2 for a, b in zip(u, y)) / (k - 1)
    se = (max(D(1), hk) / sum(u)).sqrt()
    z = bisect(lambda x: erfc(x / sqrt(2)) - alpha, 0, 40)
    t = bisect(lambda x: 2 * upper(x, k - 1) - alpha, 0, 400)
    f, sf, m, sm = float(fixed), float((1 / sum(w)).sqrt()), float(mean), float(se)
    return [float(q), float(tau2), f, f - z * sf, f + z * sf, erfc(abs(f) / sf / sqrt(2)),
            m, m - t * sm, m + t * sm, 2 * upper(abs(m) / sm, k - 1)]


for name, runs, alpha in [
    ("two that agree", [("0.02", "0.008"), ("0.024", "0.01")], 0.05),
    ("two that differ", [("0.05", "0.008"), ("-0.01", "0.01")], 0.05),
    ("three", [("0.031", "0.012"), ("0.012", "0.009"), ("0.055", "0.02")], 0.1),
    # log relative risks of tuberculosis after BCG (Colditz et al. 1994), four decimals, roots of the variances
    ("thirteen trials of BCG", [("-0.8893", "0.5706"), ("-1.5854", "0.4411"), ("-1.3481", "0.6445"), ("-1.4416", "0.1415"),
        ("-0.2175", "0.2263"), ("-0.7861", "0.0831"), ("-1.6209", "0.4722"), ("0.0120", "0.0629"), ("-0.4694", "0.2376"),
        ("-1.3713", "0.2702"), ("-0.3394", "0.1114"), ("0.4459", "0.7297"), ("-0.0173", "0.2673")], 0.05),
]:
    print(name, [float("%.12g" % x) for x in combine(runs, alpha)])
