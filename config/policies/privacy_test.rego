package yori.privacy_test

import data.yori.privacy

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in privacy.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

found(kinds, groups) := {
	"device": device(groups),
	"findings": [{"kind": kind, "count": 1, "who": "tool"} | some kind in kinds],
}

said(given, document) := answer if {
	answer := {"alert": privacy.alert, "deny": privacy.deny, "redact": privacy.redact} with data.params as params(given)
		with input as document
}

nothing := {"alert": set(), "deny": set(), "redact": set()}

test_says_nothing_of_nothing if said({}, found([], [])) == nothing

test_cards_are_denied_at_every_level_and_for_everyone if {
	every level in ["strict", "moderate", "permissive"] {
		said({"level": level}, found(["credit_card"], ["parents"])).deny == {"the prompt holds a card number"}
		said({"level": level}, found(["us_ssn"], ["adult"])).deny == {"the prompt holds a social security number"}
	}
}

test_levels if {
	said({"level": "strict"}, found(["email"], [])).deny == {"the prompt holds an e-mail address"}
	said({}, found(["email"], [])) == object.union(nothing, {"alert": {"the prompt holds an e-mail address"}})
	said({"level": "permissive"}, found(["email"], [])) == nothing
}

test_adults_are_exempt_from_the_rest if said({"level": "strict"}, found(["email"], ["parents"])) == nothing

test_redacts_what_it_is_told if {
	said({"redact": ["email"]}, found(["email"], [])) == object.union(nothing, {"redact": {"the prompt holds an e-mail address"}})
	said({"redact": ["credit_card"]}, found(["credit_card"], [])).deny == set()
}

test_passes_over_what_it_is_told if said({"ignore": ["credit_card"]}, found(["credit_card"], [])) == nothing

test_the_programs_own_words_say_nothing if {
	told := {"device": device([]), "findings": [
		{"kind": "credit_card", "count": 1, "who": "program"},
		{"kind": "email", "count": 1, "who": "model"},
	]}
	said({"level": "strict"}, told) == nothing
}

test_answers if {
	said({"answer": "note"}, found(["credit_card"], [])).alert == {"the prompt holds a card number"}
	said({"answer": "refuse"}, found(["email"], [])).deny == {"the prompt holds an e-mail address"}
	said({"answer": "redact"}, found(["email", "iban"], [])).redact == {"the prompt holds an e-mail address", "the prompt holds a bank account"}
	said({"answer": "refuse", "redact": ["email"]}, found(["email"], [])).deny == set()
}

test_either_name_and_no_other_class if {
	finding := {"kind": "credit_card", "entity": "CREDIT_CARD", "class": "pii", "count": 1, "who": "person", "confidence": 0.9}
	said({"redact": ["CREDIT_CARD"]}, {"device": device([]), "findings": [finding]}).redact == {"the prompt holds a card number"}
	said({"ignore": ["CREDIT_CARD"]}, {"device": device([]), "findings": [finding]}) == nothing
	said({"level": "strict"}, {"device": device([]), "findings": [object.union(finding, {"class": "secret"})]}) == nothing
}
