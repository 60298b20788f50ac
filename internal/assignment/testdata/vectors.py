"""Makes vectors.json: draws by another program, from the formula of docs/assignment.md alone."""
import hashlib
import json

MILLION = 1_000_000


def draw(salt, label, kind, unit):
    text = b"\0".join(part.encode() for part in (salt, label, kind, unit))
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") * MILLION >> 64


UNITS = ["", "u-1", "u-2", "42", "Zoë", "ünit-日本-1", "👩‍🚀", "a\tb", "x" * 300, "00000000-0000-4000-8000-000000000001"]
LABELS = ["traffic", "variant", "sample", "holdout", "group"]
vectors = [
    {"salt": salt, "label": label, "kind": kind, "unit": unit, "part": draw(salt, label, kind, unit)}
    for salt in ("checkout-cta:1", "søl")
    for label in LABELS
    for kind in ("user", "device")
    for unit in UNITS
]
with open("vectors.json", "w", encoding="utf-8") as f:
    json.dump(vectors, f, ensure_ascii=False, indent=0)
    f.write("\n")
