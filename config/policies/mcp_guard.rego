# Which tools an agent may call by MCP: by server, by tool, and by what an argument says.
#
# A rule is `TOOL`, `SERVER/TOOL` or either with ` ARGUMENT=VALUE` behind it; `*` stands for
# anything, letters of either case are the same. The server is its name in `mcp.servers`, else the
# host. The strictest rule that fits counts: deny, then ask, then allow. What asks is refused with
# a code; once that is approved, the same call of the same tool passes.
package yori.mcp_guard

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"deny": {"type": "strings", "default": [], "description": "Calls that are refused, such as `*/delete_*` or `shell command=*sudo*`."},
	"ask": {"type": "strings", "default": [], "description": "Calls that pass once somebody approves them, such as `bank/*`."},
	"allow": {"type": "strings", "default": [], "description": "Calls that pass; they matter where `others` is not `allow`."},
	"others": {
		"type": "string",
		"enum": ["allow", "ask", "deny"],
		"default": "allow",
		"description": "What becomes of calls that no rule names.",
	},
})

deny contains text if {
	people.concerned
	some call in input.mcp.calls
	rule_of(call) == "deny"
	text := sprintf("the tool %s of %s may not be called here", [call.shown, input.mcp.server])
}

# What cannot be told is no call that is known to be allowed.
deny contains "what it calls cannot be told" if {
	people.concerned
	strict
	input.mcp.is_whole == false
}

ask contains text if {
	people.concerned
	some call in input.mcp.calls
	rule_of(call) == "ask"
	some entry in asking(call)
	text := sprintf("the tool %s of %s is called only once that is approved%s", [call.shown, input.mcp.server, entry])
}

strict if count(data.params.deny) + count(data.params.ask) > 0

strict if data.params.others != "allow"

default rule_of(_) := "allow"

rule_of(call) := "deny" if {
	fits_one(data.params.deny, call)
} else := "ask" if {
	fits_one(data.params.ask, call)
} else := "allow" if {
	fits_one(data.params.allow, call)
} else := data.params.others

# Of rules by argument the reason says which it was: that is what is approved.
asking(call) := {""} if not fits_one(data.params.ask, call)

asking(call) := {text |
	some entry in data.params.ask
	fits(entry, call)
	text := noted(entry)
} if fits_one(data.params.ask, call)

noted(entry) := "" if not contains(entry, " ")

noted(entry) := sprintf(" (%s)", [entry]) if contains(entry, " ")

fits_one(entries, call) if {
	some entry in entries
	fits(entry, call)
}

fits(entry, call) if {
	not contains(entry, " ")
	names(entry, call)
}

fits(entry, call) if {
	at := indexof(entry, " ")
	at > 0
	names(substring(entry, 0, at), call)
	said := substring(entry, at + 1, -1)
	equals := indexof(said, "=")
	equals > 0
	some argument in call.arguments
	argument.path == lower(substring(said, 0, equals))
	like(substring(said, equals + 1, -1), argument.value)
}

names(target, call) if {
	not contains(target, "/")
	like(target, call.tool)
}

names(target, call) if {
	at := indexof(target, "/")
	at > 0
	like(substring(target, 0, at), input.mcp.server)
	like(substring(target, at + 1, -1), call.tool)
}

like(pattern, text) if glob.match(lower(pattern), null, lower(text))
