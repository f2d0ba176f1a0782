# Stops an agent that runs away: limits of tool calls, tokens, money, requests and minutes in
# one conversation.
#
# `over` says what becomes of what goes on over a limit: it is refused, or it waits for the word of
# an adult (`hold`). A limit of 0 is none. The message is written for the agent that reads it. A person ends a
# conversation at once with `yori sessions stop`.
package yori.agent_governor

import data.yori.lib.amounts
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"max_tool_calls": {"type": "integer", "minimum": 0, "default": 100, "description": "Tool calls of the model."},
	"max_tokens": {"type": "integer", "minimum": 0, "default": 1000000, "description": "Tokens, in and out."},
	"max_usd": {"type": "number", "minimum": 0, "default": 5, "description": "US dollars."},
	"max_requests": {"type": "integer", "minimum": 0, "default": 0, "description": "Requests."},
	"max_minutes": {"type": "integer", "minimum": 0, "default": 0, "description": "Minutes since it began."},
	"over": {"type": "string", "enum": ["refuse", "hold"], "default": "refuse", "description": "What becomes of a request over a limit."},
	"warn_percent": {"type": "number", "minimum": 1, "maximum": 100, "default": 80, "description": "Share of a limit at which it warns."},
})

limits := [limit |
	some limit in [
		{"what": "tool calls", "of": data.params.max_tool_calls, "used": input.session.tool_calls, "note": ""},
		{"what": "tokens", "of": data.params.max_tokens, "used": input.session.tokens, "note": ""},
		{"what": "US dollars", "of": data.params.max_usd, "used": input.session.cost_usd, "note": note},
		{"what": "requests", "of": data.params.max_requests, "used": input.session.requests, "note": ""},
		{"what": "minutes", "of": data.params.max_minutes, "used": floor(input.session.minutes), "note": ""},
	]
	limit.of > 0
]

# Of the dollars: calls without a known price count with the most that they can have cost.
note := amounts.estimated(object.get(input.session, "estimated_usd", 0))

deny contains text if {
	data.params.over == "refuse"
	some text in reached
}

hold contains text if {
	data.params.over == "hold"
	some text in reached
}

reached contains text if {
	people.concerned
	some limit in limits
	limit.used >= limit.of
	text := sprintf("this conversation has reached its limit of %v %s%s: stop here, do not try again, and tell the user", [limit.of, limit.what, limit.note])
}

alert contains text if {
	people.concerned
	some limit in limits
	limit.used < limit.of
	limit.used * 100 >= limit.of * data.params.warn_percent
	text := sprintf("this conversation has used %v of %v %s%s", [limit.used, limit.of, limit.what, limit.note])
}
