package yori.prompt_length_test

import data.yori.prompt_length

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in prompt_length.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

long(chars) := {"device": device([]), "said_chars": {"person": chars, "program": 100000}}

said(chars) := answer if {
	answer := [count(prompt_length.alert), count(prompt_length.deny)] with data.params as params({})
		with input as long(chars)
}

test_warns_and_denies_above if {
	said(5000) == [0, 0]
	said(5001) == [1, 0]
	said(20000) == [1, 0]
	said(20001) == [0, 1]
}
