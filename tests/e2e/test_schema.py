"""The schema of events says what the program can say, and the validator can say no."""

import json
import re

import pytest

import schema
from phone import ROOT

# rule, values that fit, values that do not
RULES = [
    ({}, [None, 1, "x", [], {}], []),
    ({"type": "null"}, [None], [0, False, "", []]),
    ({"type": "boolean"}, [True, False], [0, 1, None, "true"]),
    ({"type": "integer"}, [0, -1, 5.0], [0.5, True, "1", None]),
    ({"type": "number"}, [0, 0.5], [False, "1", None]),
    ({"type": "string"}, ["", "x"], [0, None, []]),
    ({"type": "array"}, [[], [1]], [{}, "x"]),
    ({"type": "object"}, [{}, {"a": 1}], [[], "x", None]),
    ({"type": ["string", "null"]}, ["", None], [0, False]),
    ({"const": 1}, [1, 1.0], [True, "1", 2, None]),
    ({"const": "a"}, ["a"], ["A", "ab", 1]),
    ({"enum": ["a", 0]}, ["a", 0], [False, "b", None, 1]),
    ({"minimum": 1}, [1, 2.5, "x", None], [0, 0.9, -1]),
    ({"maximum": 1}, [1, -1, "x"], [2, 1.1]),
    ({"minLength": 1}, ["x", 0, []], [""]),
    ({"minItems": 1}, [[0], "", {}], [[]]),
    ({"pattern": "^a+$"}, ["a", "aa", 5], ["", "b", "ab"]),
    ({"pattern": "b"}, ["abc"], ["ac"]),
    ({"required": ["a"]}, [{"a": None}, "x"], [{}, {"b": 1}]),
    ({"properties": {"a": {"type": "string"}}}, [{}, {"a": "x"}, {"b": 1}, 5], [{"a": 1}]),
    ({"items": {"type": "string"}}, [[], ["x"], 5], [[1], ["x", None]]),
    ({"oneOf": [{"type": "string"}, {"minimum": 5}]}, [5, 9], [4, "both"]),
    ({"$ref": "#/$defs/a"}, ["x"], [1]),
    ({"properties": {"b": {"items": {"$ref": "#/$defs/a"}}}}, [{"b": ["x"]}], [{"b": [1]}]),
]


@pytest.mark.parametrize("rule, good, bad", RULES)
def test_the_validator(rule, good, bad):
    whole = {**rule, "$defs": {"a": {"type": "string", "description": "text"}}}
    for value in good:
        assert not list(schema.problems(rule, value, "it", whole)), value
    for value in bad:
        assert list(schema.problems(rule, value, "it", whole)), value


def test_a_keyword_that_the_validator_does_not_know_is_an_error():
    with pytest.raises(KeyError):
        list(schema.problems({"maxLength": 1}, "xx", "it", {}))


ENVELOPE = {
    "v": 1, "ts": "2026-11-20T23:00:00.000412Z", "phone": None, "account": None, "call": 1,
    "call_id": "x", "peer": "sip:x@y",
}  # fmt: skip
MUTED = {**ENVELOPE, "event": "call.muted", "muted": True}
BAD = [
    ({**MUTED, "event": "call.mutd"}, "is not 'call.muted'"),
    ({key: MUTED[key] for key in MUTED if key != "muted"}, "lacks muted"),
    ({key: MUTED[key] for key in MUTED if key != "peer"}, "lacks peer"),
    ({**MUTED, "muted": 1}, "event.muted: 1 is no boolean"),
    ({**MUTED, "v": 2}, "event.v: 2 is not 1"),
    ({**MUTED, "call": None}, "event.call: None is no integer"),
    ({**MUTED, "call": 0}, "event.call: under the minimum: 0"),
    ({**MUTED, "call_id": None}, "event.call_id: None is no string"),
    ({**MUTED, "ts": "2026-11-20 23:00:00Z"}, "event.ts: no match"),
    ({**MUTED, "colour": "red"}, "says nothing of {'colour'}"),
    (["call.muted"], "is no object"),
]


def test_a_good_event():
    schema.check(MUTED)


@pytest.mark.parametrize("event, words", BAD)
def test_a_bad_event(event, words):
    with pytest.raises(AssertionError) as error:
        schema.check(event)
    assert words in str(error.value)


UNTOLD = {"call.meter"}  # for a live line only


def test_each_event_of_the_program_has_its_schema_and_no_other_has():
    source = (ROOT / "core" / "ua" / "event.c").read_text()
    table = re.search(r"event_names\[UA_EVENT_KINDS\] = \{(.*?)\};", source, re.DOTALL)[1]
    names = set(re.findall(r'"([a-z_.]+)"', table)) - UNTOLD
    refs = [branch["$ref"] for branch in schema.EVENTS["oneOf"]]
    assert sorted(refs) == sorted(f"#/$defs/{name}" for name in names)
    for name in names:
        assert schema.EVENTS["$defs"][name]["properties"]["event"] == {"const": name}


def test_each_field_that_the_program_prints_has_its_schema_and_no_other_has():
    source = (ROOT / "cmd" / "readers" / "json.c").read_text()
    printed = set(re.findall(r'put\w*\([^;"]*"([a-z_]+)"', source))
    fields = {name for branch in schema.EVENTS["oneOf"]
              for name in schema.described(branch["$ref"].rsplit("/", 1)[1])}  # fmt: skip
    assert printed == fields


def test_all_that_the_schema_defines_is_used():
    text = json.dumps(schema.EVENTS)
    for name in schema.EVENTS["$defs"]:
        assert f'"$ref": "#/$defs/{name}"' in text, name


@pytest.mark.parametrize("rule", schema.EVENTS["$defs"].values(), ids=schema.EVENTS["$defs"])
def test_what_is_required_is_described(rule):
    assert set(rule.get("required", [])) <= set(rule.get("properties", []))
