"""A number of a report from raw rows, in Python: the difference of a metric of kind mean
between an arm and the control with its standard error, as the newest stored look has it.

    pip install clickhouse-connect
    python docs/notebooks/report_number.py http://reader:PASSWORD@HOST:8123/assay_sql checkout-cta revenue purchase 604800

The last two are the event and the window in seconds of the metric's definition. Written for
one phase, excluded crossovers and no grace; all of the rules are in docs/semantics.md.
"""
import json
import math
import sys
from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from urllib.parse import urlparse

import clickhouse_connect


def once(rows):
    """An event counts once: the first of its identity in its partition."""
    known, out = set(), []
    for r in sorted(rows, key=lambda r: (r["topic"], r["shard"], r["offset"])):
        identity = (r["topic"], r["unit_kind"], r["unit"], r["id"] or ("at", r["shard"], r["offset"]), r["t"])
        if identity not in known:
            known.add(identity)
            out.append(r)
    return out


def main(where, experiment, metric, event, window):
    u = urlparse(where)
    db = clickhouse_connect.get_client(host=u.hostname, port=u.port, username=u.username, password=u.password, database=u.path.strip("/"))

    def rows(query, **parameters):
        return list(db.query(query, parameters=parameters).named_results())

    look = rows("SELECT document, vector FROM latest_looks WHERE kind = 'full' AND experiment = {e:String}", e=experiment)[0]
    document = json.loads(look["document"])
    places = rows("SELECT decimals FROM metrics WHERE experiment = {e:String} AND metric = {m:String}", e=experiment, m=metric)[0]["decimals"]
    below = {}
    for m in rows("SELECT shard, seq, topic, next_offset FROM marks"):
        if m["seq"] <= look["vector"].get(m["shard"], 0):
            key = (m["shard"], m["topic"])
            below[key] = max(below.get(key, 0), m["next_offset"])

    def read(query):
        return once(r for r in rows(query) if r["offset"] < below.get((r["shard"], r["topic"]), 0))

    def ms(text):
        return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)

    start, enrol, end = ms(document["start"]), ms(document["enrol_until"]), ms(document["end"])
    columns = "toUnixTimestamp64Milli(t) AS t, toString(unit) AS unit, unit_kind, id, topic, shard, offset"
    seen = defaultdict(list)
    for r in read(f"SELECT {columns}, experiment, variant FROM exposures WHERE NOT misplaced"):
        if r["experiment"] == experiment and start <= r["t"] < end:
            seen[r["unit"]].append((r["t"], r["variant"]))
    first = {unit: min(all) for unit, all in seen.items() if min(all)[0] < enrol and len({v for _, v in all}) == 1}
    y = dict.fromkeys(first, 0)
    step = Decimal(1).scaleb(-places)
    for r in read(f"SELECT {columns}, event, toString(value) AS value FROM outcomes WHERE NOT misplaced"):
        if r["event"] == event and r["unit"] in first and start <= r["t"] < end and 0 <= r["t"] - first[r["unit"]][0] <= window * 1000:
            y[r["unit"]] += int(Decimal(r["value"]).quantize(step, ROUND_HALF_EVEN).scaleb(places))

    n, s, q = defaultdict(int), defaultdict(int), defaultdict(int)
    for unit, total in y.items():
        arm = first[unit][1]
        n[arm], s[arm], q[arm] = n[arm] + 1, s[arm] + total, q[arm] + total * total
    for c in document["cells"]:
        if c["metric"] == metric and not c.get("dimension") and not c.get("settling"):
            mine = (n[c["variant"]], str(s[c["variant"]]), str(q[c["variant"]]))
            stored = (c["open"]["n"], c["open"]["sum"], c["open"]["sum_squares"])
            assert mine == stored, f"{c['variant']}: {mine} from raw rows, {stored} in the look"

    def mean_and_variance(arm):
        mean = s[arm] / n[arm]
        return mean / 10**places, (n[arm] * q[arm] - s[arm] ** 2) / (n[arm] * (n[arm] - 1)) / n[arm] / 10 ** (2 * places)

    for c in document["comparisons"]:
        if c["metric"] != metric:
            continue
        (mt, vt), (mc, vc) = mean_and_variance(c["arm"]), mean_and_variance(document["control"])
        effect, stored = mt - mc, c["open"]["absolute"]
        error = math.sqrt(vt + vc)
        assert math.isclose(effect, stored["estimate"], rel_tol=1e-12, abs_tol=1e-12 * abs(mc)), (effect, stored["estimate"])
        assert math.isclose(error, stored["std_error"], rel_tol=1e-12), (error, stored["std_error"])
        print(f"{experiment} {metric} {c['arm']}: effect {effect!r} ± {error!r}, as in the look of {document['at']}")


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
