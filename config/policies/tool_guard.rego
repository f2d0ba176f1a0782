# What agents may do: tools that may not be offered to a model, and how many calls a
# conversation may make.
#
# `denied_tools` may end in `*`; with `allowed_tools` all others are denied. Calls are those
# that the model made in this conversation so far.
package yori.tool_guard

import data.yori.lib.amounts
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"denied_tools": {"type": "strings", "default": [], "description": "Tools that may not be offered."},
	"allowed_tools": {"type": "strings", "default": [], "description": "When there are some, no others may be."},
	"max_calls": {"type": "integer", "minimum": 0, "default": 50, "description": "Calls in one conversation; 0 is no limit."},
})

deny contains text if {
	people.concerned
	some tool in input.request.tools
	is_denied(tool)
	text := sprintf("the tool %s may not be used here: ask again without it", [substring(tool, 0, 64)])
}

is_denied(tool) if {
	some entry in data.params.denied_tools
	amounts.names_model(entry, tool)
}

is_denied(tool) if {
	count(data.params.allowed_tools) > 0
	not is_allowed(tool)
}

is_allowed(tool) if {
	some entry in data.params.allowed_tools
	amounts.names_model(entry, tool)
}

deny contains text if {
	people.concerned
	data.params.max_calls > 0
	input.session.tool_calls >= data.params.max_calls
	text := sprintf("this conversation has made %d tool calls, and %d are allowed: stop and report to the user", [input.session.tool_calls, data.params.max_calls])
}
