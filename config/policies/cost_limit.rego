# Limits of money and tokens, a day and a month, with warnings at 50, 75 and 90 percent.
#
# A limit of 0 is none. Denies when a limit is reached, or when the request, estimated by its
# text, would go over what is left. Calls without a known price count with the most that they
# can have cost, and the message says how much of what is used is that.
package yori.cost_limit

import data.yori.lib.amounts
import data.yori.lib.calls
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"daily_usd": {"type": "number", "minimum": 0, "default": 1, "description": "US dollars a day; 0 is no limit."},
	"monthly_usd": {"type": "number", "minimum": 0, "default": 0, "description": "US dollars a month."},
	"daily_tokens": {"type": "integer", "minimum": 0, "default": 0, "description": "Tokens a day, in and out."},
	"monthly_tokens": {"type": "integer", "minimum": 0, "default": 0, "description": "Tokens a month."},
})

levels := [50, 75, 90]

limits := [limit |
	some limit in [
		dollars("dollars today", data.params.daily_usd, input.counters.device.today),
		dollars("dollars this month", data.params.monthly_usd, input.counters.device.month),
		{"what": "tokens today", "of": data.params.daily_tokens, "used": input.counters.device.today.tokens, "asked": tokens, "note": ""},
		{"what": "tokens this month", "of": data.params.monthly_tokens, "used": input.counters.device.month.tokens, "asked": tokens, "note": ""},
	]
	limit.of > 0
]

dollars(what, limit, spent) := {
	"what": what,
	"of": limit,
	"used": spent.cost_usd,
	"asked": cost,
	"note": amounts.estimated(object.get(spent, "estimated_usd", 0)),
}

default cost := 0

cost := input.estimate.cost_usd if is_number(input.estimate.cost_usd)

default tokens := 0

tokens := input.estimate.input_tokens if is_number(input.estimate.input_tokens)

deny contains text if {
	calls.asked
	people.concerned
	some limit in limits
	limit.used >= limit.of
	text := sprintf("the limit of %v %s is reached%s", [limit.of, limit.what, limit.note])
}

deny contains text if {
	calls.asked
	people.concerned
	some limit in limits
	limit.used < limit.of
	limit.used + limit.asked > limit.of
	text := sprintf("this request would go over the limit of %v %s%s", [limit.of, limit.what, limit.note])
}

alert contains text if {
	calls.asked
	people.concerned
	some limit in limits
	limit.used < limit.of
	level := max([level | some level in levels; limit.used * 100 >= limit.of * level])
	text := sprintf("%d %% of %v %s are used%s", [level, limit.of, limit.what, limit.note])
}
