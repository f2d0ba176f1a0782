package yori.destructive_tools_test

import data.yori.destructive_tools

params(given) := object.union({name: parameter["default"] | some name, parameter in destructive_tools.parameters}, given)

device := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": []}

calling(found) := {
	"device": device,
	"calls": {"server": "shell", "by": "mcp", "is_whole": true, "calls": [{
		"tool": "run", "shown": "run", "arguments": [],
		"destructive": found,
	}]},
}

removing := calling([{"kind": "delete_tree", "shown": "rm -rf /srv"}])

said(given, document) := answer if {
	answer := {"hold": destructive_tools.hold, "ask": destructive_tools.ask, "deny": destructive_tools.deny, "alert": destructive_tools.alert} with data.params as params(given)
		with input as document
}

text := "run cannot be undone (delete_tree): rm -rf /srv"

test_holds_unless_told if {
	said({}, removing) == {"hold": {text}, "ask": set(), "deny": set(), "alert": set()}
}

test_answers if {
	said({"answer": "ask"}, removing).ask == {text}
	said({"answer": "refuse"}, removing).deny == {text}
	said({"answer": "note"}, removing).alert == {text}
}

test_kinds_and_what_is_allowed if {
	count(said({"kinds": ["disk"]}, removing).hold) == 0
	count(said({"allow": ["rm -rf /srv"]}, removing).hold) == 0
	count(said({"allow": ["rm -rf /tmp/*"]}, removing).hold) == 1
	count(said({}, calling([{"kind": "too_long", "shown": "x"}])).hold) == 0
	count(said({"kinds": ["too_long"]}, calling([{"kind": "too_long", "shown": "x"}])).hold) == 1
}

test_tools if {
	said({"tools": ["ru*"]}, calling([])).hold == {"the tool run is named as one that cannot be undone"}
	count(said({"tools": ["delete_*"]}, calling([])).hold) == 0
}

test_is_nothing_where_nothing_is_called if {
	count(said({}, {"device": device, "calls": null}).hold) == 0
	count(said({}, calling([])).hold) == 0
}

test_exempt_groups if {
	count(said({}, object.union(removing, {"device": {"groups": ["admin"]}})).hold) == 0
}
