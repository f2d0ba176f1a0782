# A monthly budget: warns at two shares of it, denies when it is spent or when the request
# would go over it.
#
# What was spent comes from the prices of the provider catalogue; answers whose price is not
# known count with the most that they can have cost, and the message says so. The request itself is estimated by its
# text, four characters a token, without the answer: the last request before the limit may go
# over it by its answer. `scope: device` holds each device to the budget, `scope: group` each
# group of `groups` together.
package yori.budget

import data.yori.lib.amounts
import data.yori.lib.calls
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"monthly_usd": {"type": "number", "minimum": 0, "default": 50, "description": "US dollars a month."},
	"warn_percent": {"type": "number", "minimum": 0, "maximum": 100, "default": 80, "description": "The first warning."},
	"urgent_percent": {"type": "number", "minimum": 0, "maximum": 100, "default": 95, "description": "The second."},
	"scope": {"type": "string", "enum": ["device", "group"], "default": "device", "description": "Who shares the budget."},
})

# What every counter says that the budget is held against.
months contains input.counters.device.month if data.params.scope == "device"

months contains input.counters.groups[group].month if {
	data.params.scope == "group"
	some group in data.params.groups
}

most := max({month.cost_usd | some month in months})

# Of the counters that are as high as that, what is estimated at most.
note := amounts.estimated(max({object.get(month, "estimated_usd", 0) |
	some month in months
	month.cost_usd == most
}))

limit := data.params.monthly_usd

deny contains text if {
	calls.asked
	people.concerned
	most >= limit
	text := sprintf("the month's budget of $%s is spent%s", [amounts.dollars(limit), note])
}

deny contains text if {
	calls.asked
	people.concerned
	most < limit
	most + input.estimate.cost_usd > limit
	text := sprintf("this request would cost more than the $%s that are left of the month's budget%s", [amounts.dollars(limit - most), note])
}

alert contains text if {
	calls.asked
	people.concerned
	most < limit
	some percent in reached
	percent == max(reached)
	text := sprintf("%d %% of the month's budget of $%s is spent%s", [floor((most * 100) / limit), amounts.dollars(limit), note])
}

reached contains percent if {
	some percent in {data.params.warn_percent, data.params.urgent_percent}
	most * 100 >= limit * percent
}
