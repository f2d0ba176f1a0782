# What an agent does that cannot be undone: `rm -rf`, DROP TABLE, a forced push, mkfs,
# `curl | sh`, `kubectl delete`, `terraform destroy` and their like, by the arguments of its tools.
#
# `answer` says what becomes of such a call: `hold` lets it wait for the word of an adult, who
# has its code, `ask` refuses it with a code, `refuse` without, `note` writes it down. A call
# by MCP waits before it is made. What the model calls is run by its client, before we can see
# that: there the request waits that brings the result back.
package yori.destructive_tools

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"answer": {
		"type": "string",
		"enum": ["hold", "ask", "refuse", "note"],
		"default": "hold",
		"description": "What becomes of such a call.",
	},
	"kinds": {
		"type": "strings",
		"default": [
			"delete_tree", "git_force", "git_discard", "disk", "piped_shell", "cluster",
			"infrastructure", "permissions", "system", "sql_drop", "sql_all_rows",
		],
		"description": "Which kinds count; `too_long` is a command of which not all is looked at.",
	},
	"tools": {"type": "strings", "default": [], "description": "Tools that count whatever they are told, such as `delete_*`."},
	"allow": {"type": "strings", "default": [], "description": "Commands that do not, such as `rm -rf node_modules`."},
})

reasons contains text if {
	people.concerned
	some call in input.calls.calls
	some found in call.destructive
	found.kind in data.params.kinds
	not is_allowed(found.shown)
	text := sprintf("%s cannot be undone (%s): %s", [call.shown, found.kind, found.shown])
}

reasons contains text if {
	people.concerned
	some call in input.calls.calls
	some entry in data.params.tools
	glob.match(lower(entry), null, call.tool)
	text := sprintf("the tool %s is named as one that cannot be undone", [call.shown])
}

is_allowed(command) if {
	some entry in data.params.allow
	glob.match(lower(entry), null, lower(command))
}

hold contains text if {
	data.params.answer == "hold"
	some text in reasons
}

ask contains text if {
	data.params.answer == "ask"
	some text in reasons
}

deny contains text if {
	data.params.answer == "refuse"
	some text in reasons
}

alert contains text if {
	data.params.answer == "note"
	some text in reasons
}
