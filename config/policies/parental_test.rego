package yori.parental_test

import data.yori.parental

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in parental.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

asked(prompt, groups) := {
	"device": device(groups),
	"said": {"person": prompt, "tool": "", "program": "poker", "model": "poker"},
	"model": "gpt-4o",
	"endpoint": {"domain": "api.openai.com"},
}

denied(given, document) := answer if {
	answer := parental.deny with data.params as params(given)
		with input as document
}

test_is_for_minors_alone if {
	denied({}, asked("play poker", ["children"])) == {"gambling is not a topic for this device"}
	denied({}, asked("play poker", ["parents"])) == set()
	denied({}, asked("play poker", ["teens"])) == {"gambling is not a topic for this device"}
}

test_whole_words_count if {
	denied({}, asked("sextant and Essex", ["children"])) == set()
	denied({}, asked("Sex?", ["children"])) == {"adult is not a topic for this device"}
	denied({}, asked("a pipe\nbomb", ["children"])) == {"weapons is not a topic for this device"}
}

test_categories_and_words_are_chosen if {
	denied({"categories": ["drugs"]}, asked("play poker", ["children"])) == set()
	denied({"allowed_keywords": ["poker"]}, asked("play poker", ["children"])) == set()
	denied({"blocked_keywords": ["Fortnite"]}, asked("play fortnite!", ["children"])) == {"the prompt holds a word that is not for this device"}
}

test_places if {
	denied({"restricted_endpoints": ["api.openai.com"]}, asked("hello", ["children"])) == {"api.openai.com is not for this device"}
	denied({"restricted_endpoints": ["api.openai.com"]}, asked("hello", [])) == set()
}

test_safe_mode if {
	denied({"safe_mode": true}, asked("hello", ["children"])) == {"model gpt-4o is not one of the safe ones"}
	denied({"safe_mode": true, "safe_models": ["gpt-4o*"]}, asked("hello", ["children"])) == set()
}
