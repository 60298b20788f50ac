"""OpenFeature's SDK for Python. Reads questions as JSON, writes what it was told."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

asked = json.loads(sys.argv[1])
headers = {"Authorization": "Bearer " + asked["token"]} if asked["token"] else {}
api.set_provider(OFREPProvider(asked["url"], headers_factory=lambda: headers))
client = api.get_client()
told = []
for q in asked["questions"]:
    default = q["default"]
    if isinstance(default, bool):
        ask = client.get_boolean_details
    elif isinstance(default, str):
        ask = client.get_string_details
    else:
        default = float(default)
        ask = client.get_float_details
    d = ask(q["flag"], default, EvaluationContext(q["unit"] or None, q["attributes"]))
    told.append({
        "value": d.value,
        "variant": d.variant,
        "reason": str(d.reason),
        "error": d.error_code.value if d.error_code else None,
        "metadata": dict(d.flag_metadata or {}),
    })
print(json.dumps(told))
