"""The events' schema, and as much of JSON Schema (2020-12) as it uses: a keyword that is not known
here is an error, so that none is written and then not looked at."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "share" / "sipcall" / "events.schema.json"

TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: TYPES["number"](value) and value == int(value),
}
SILENT = {"$schema", "$defs", "title", "description"}


def same(a, b):
    """JSON's equality: 1 is 1.0, but neither is true."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def limited(kind, found, wrong):
    """A keyword that speaks of values of one type only."""

    def check(limit, value, where, _):
        if TYPES[kind](value) and wrong(value, limit):
            yield f"{where}: {found} {value!r}, though it is to be {limit!r}"

    return check


def check_ref(ref, value, where, schema):
    assert ref.startswith("#/"), ref
    target = schema
    for step in ref[2:].split("/"):
        target = target[step]
    yield from problems(target, value, where, schema)


def check_type(names, value, where, _):
    names = [names] if isinstance(names, str) else names
    if not any(TYPES[name](value) for name in names):
        yield f"{where}: {value!r} is no {' or '.join(names)}"


def check_const(wanted, value, where, _):
    if not same(value, wanted):
        yield f"{where}: {value!r} is not {wanted!r}"


def check_enum(allowed, value, where, _):
    if not any(same(value, one) for one in allowed):
        yield f"{where}: {value!r} is none of {allowed}"


def check_required(names, value, where, _):
    if TYPES["object"](value):
        yield from (f"{where}: lacks {name}" for name in names if name not in value)


def check_properties(properties, value, where, schema):
    if TYPES["object"](value):
        for name, rule in properties.items():
            if name in value:
                yield from problems(rule, value[name], f"{where}.{name}", schema)


def check_items(rule, value, where, schema):
    if TYPES["array"](value):
        for number, item in enumerate(value):
            yield from problems(rule, item, f"{where}[{number}]", schema)


def check_one_of(rules, value, where, schema):
    """Of many that do not fit, what the nearest has to say."""
    each = [list(problems(rule, value, where, schema)) for rule in rules]
    fits = sum(not found for found in each)
    if fits == 0:
        yield from min(each, key=len)
    elif fits > 1:
        yield f"{where}: fits {fits} of those that exclude each other"


KEYWORDS = {
    "$ref": check_ref,
    "type": check_type,
    "const": check_const,
    "enum": check_enum,
    "required": check_required,
    "properties": check_properties,
    "items": check_items,
    "oneOf": check_one_of,
    "minimum": limited("number", "under the minimum:", lambda value, limit: value < limit),
    "maximum": limited("number", "over the maximum:", lambda value, limit: value > limit),
    "minLength": limited("string", "too short:", lambda value, limit: len(value) < limit),
    "minItems": limited("array", "too few:", lambda value, limit: len(value) < limit),
    "pattern": limited("string", "no match:", lambda value, limit: not re.search(limit, value)),
}


def problems(rule, value, where, schema):
    """What is wrong with value by rule, a part of schema, line by line."""
    for keyword, parameter in rule.items():
        if keyword not in SILENT:
            yield from KEYWORDS[keyword](parameter, value, where, schema)


EVENTS = json.loads(PATH.read_text())


def described(name):
    """The fields that the schema has for events of that name."""
    return {*EVENTS["properties"], *EVENTS["$defs"].get(name, {}).get("properties", {})}


def check(event):
    """One line of --json. Others may pass over what they do not know; we describe all we print."""
    found = list(problems(EVENTS, event, "event", EVENTS))
    assert not found, "\n".join([*found, f"in: {event}"])
    unknown = set(event) - described(event["event"])
    assert not unknown, f"{PATH.name} says nothing of {unknown} in: {event}"
