package yori.injection_test

import data.yori.injection

params(given) := object.union({name: parameter["default"] | some name, parameter in injection.parameters}, given)

found(who, confidence) := {
	"device": {"ip": "192.0.2.10", "mac": null, "groups": ["children"]},
	"findings": [
		{"kind": "OVERRIDE", "entity": "OVERRIDE", "class": "injection", "count": 1, "who": who, "confidence": confidence},
		{"kind": "email", "entity": "EMAIL_ADDRESS", "class": "pii", "count": 1, "who": who, "confidence": 0.95},
	],
}

said(given, document) := answer if {
	answer := {"alert": injection.alert, "deny": injection.deny, "redactions": injection.redactions} with data.params as params(given)
		with input as document
}

nothing := {"alert": set(), "deny": set(), "redactions": set()}

told := {"the prompt holds orders to the model: OVERRIDE"}

test_refuses_and_says_nothing_of_other_findings if {
	said({}, found("person", 0.9)) == object.union(nothing, {"deny": told})
}

test_notes_or_takes_out_where_it_is_told_to if {
	said({"answer": "note"}, found("tool", 0.9)) == object.union(nothing, {"alert": told})
	said({"answer": "redact"}, found("tool", 0.9)) == object.union(nothing, {"redactions": {{"finding": "OVERRIDE"}}})
	said({"redact": ["OVERRIDE"]}, found("tool", 0.9)) == object.union(nothing, {"redactions": {{"finding": "OVERRIDE"}}})
}

test_levels if {
	said({"level": "strict"}, found("person", 0.55)).deny == told
	said({}, found("person", 0.55)) == nothing
	said({"level": "permissive"}, found("person", 0.75)) == nothing
}

test_exemptions if {
	said({"exempt_groups": ["children"]}, found("person", 0.9)) == nothing
	said({"groups": ["guests"]}, found("person", 0.9)) == nothing
	said({"ignore": ["OVERRIDE"]}, found("person", 0.9)) == nothing
}

test_the_programs_own_words_say_nothing if said({"level": "strict"}, found("program", 0.9)) == nothing
