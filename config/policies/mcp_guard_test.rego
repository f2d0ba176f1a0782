package yori.mcp_guard_test

import data.yori.mcp_guard

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in mcp_guard.parameters}, given)

device := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": []}

calling(server, tools) := {
	"device": device,
	"mcp": {"server": server, "is_whole": true, "calls": [{"tool": lower(tool), "shown": tool, "arguments": []} | some tool in tools]},
}

saying(value) := {
	"device": device,
	"mcp": {"server": "host", "is_whole": true, "calls": [{"tool": "shell", "shown": "shell", "arguments": [{"path": "command", "value": value}]}]},
}

said(given, document) := answer if {
	answer := {"deny": mcp_guard.deny, "ask": mcp_guard.ask} with data.params as params(given)
		with input as document
}

nothing := {"deny": set(), "ask": set()}

test_names_tools_and_servers if {
	rules := {"deny": ["*/delete_*", "files/wipe"]}
	said(rules, calling("files", ["wipe"])) == {"deny": {"the tool wipe of files may not be called here"}, "ask": set()}
	said(rules, calling("other", ["wipe"])) == nothing
	count(said(rules, calling("other", ["Delete_all"])).deny) == 1
	said({"deny": ["wipe"]}, calling("other", ["wipeout"])) == nothing
}

test_the_strictest_counts if {
	rules := {"deny": ["a"], "ask": ["a", "b"], "allow": ["*"], "others": "deny"}
	said(rules, calling("s", ["a"])) == {"deny": {"the tool a of s may not be called here"}, "ask": set()}
	said(rules, calling("s", ["b"])) == {"deny": set(), "ask": {"the tool b of s is called only once that is approved"}}
	said(rules, calling("s", ["c"])) == nothing
}

test_others if {
	count(said({"others": "deny", "allow": ["read_*"]}, calling("s", ["read_file", "write_file"])).deny) == 1
	count(said({"others": "ask", "allow": ["s/read_*"]}, calling("t", ["read_file"])).ask) == 1
}

test_arguments if {
	rules := {"deny": ["shell command=*rm -rf*"], "ask": ["shell command=git *"]}
	count(said(rules, saying("cd / && rm -rf .")).deny) == 1
	said(rules, saying("git push")).ask == {"the tool shell of host is called only once that is approved (shell command=git *)"}
	said(rules, saying("ls")) == nothing
	said(rules, calling("host", ["shell"])) == nothing
}

test_what_cannot_be_told_is_refused_where_there_are_rules if {
	unknown := {"device": device, "mcp": {"server": "s", "is_whole": false, "calls": []}}
	said({}, unknown) == nothing
	count(said({"deny": ["a"]}, unknown).deny) == 1
}

test_is_nothing_to_what_is_no_mcp if said({"deny": ["*"], "others": "deny"}, {"device": device, "mcp": null}) == nothing

test_exempt_groups if said({"deny": ["*"]}, object.union(calling("s", ["a"]), {"device": {"groups": ["admin"]}})) == nothing
