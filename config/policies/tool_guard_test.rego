package yori.tool_guard_test

import data.yori.tool_guard

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in tool_guard.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

offered(tools, calls) := {
	"device": device([]),
	"request": {"tools": tools},
	"session": {"tool_calls": calls},
}

denied(given, document) := answer if {
	answer := tool_guard.deny with data.params as params(given)
		with input as document
}

test_denies_tools_by_name if {
	denied({"denied_tools": ["shell", "fs_*"]}, offered(["shell"], 0)) == {"the tool shell may not be used here: ask again without it"}
	denied({"denied_tools": ["shell", "fs_*"]}, offered(["fs_write", "search"], 0)) == {"the tool fs_write may not be used here: ask again without it"}
	denied({"denied_tools": ["shell"]}, offered(["search"], 0)) == set()
}

test_allows_only_those_that_it_names if {
	denied({"allowed_tools": ["search"]}, offered(["search"], 0)) == set()
	denied({"allowed_tools": ["search"]}, offered(["search", "shell"], 0)) == {"the tool shell may not be used here: ask again without it"}
}

test_counts_calls if {
	denied({}, offered([], 49)) == set()
	count(denied({}, offered([], 50))) == 1
	denied({"max_calls": 0}, offered([], 5000)) == set()
}

test_needs_no_conversation if denied({}, {"device": device([]), "request": {"tools": null}, "session": null}) == set()
