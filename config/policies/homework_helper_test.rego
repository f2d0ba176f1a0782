package yori.homework_helper_test

import data.yori.homework_helper

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in homework_helper.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

asked(prompt, hour, weekend) := {
	"device": device([]),
	"said": {"person": prompt, "tool": "", "program": "algebra homework", "model": "do my homework"},
	"context": {"hour": hour, "is_weekend": weekend},
}

said(given, document) := answer if {
	answer := [count(homework_helper.alert), count(homework_helper.deny)] with data.params as params(given)
		with input as document
}

test_needs_a_task_and_a_subject if {
	said({}, asked("help with my Algebra homework", 16, false)) == [1, 0]
	said({}, asked("what is algebra", 16, false)) == [0, 0]
	said({}, asked("my homework eats the dog", 16, false)) == [0, 0]
	said({}, asked("Do my homework", 16, false)) == [1, 0]
}

test_school_hours if {
	said({}, asked("algebra homework", 7, false)) == [1, 0]
	said({}, asked("algebra homework", 8, false)) == [0, 1]
	said({}, asked("algebra homework", 14, false)) == [0, 1]
	said({}, asked("algebra homework", 15, false)) == [1, 0]
	said({}, asked("algebra homework", 10, true)) == [1, 0]
	said({"during_school_hours": false}, asked("algebra homework", 10, false)) == [1, 0]
}

test_takes_further_words if said({"more_words": ["hausaufgabe"]}, asked("Hausaufgabe math", 16, false)) == [1, 0]
