# Warns when a device nears its number of calls to a model a day, and denies when it goes over.
#
# Alerts above `warn_percent` of `daily_threshold`; from the threshold on it denies, so that
# `action: alert` makes the second warning and `action: block` the limit. Requests that were
# blocked do not count. Devices that the household does not know count as one.
package yori.high_usage

import data.yori.lib.calls
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"daily_threshold": {"type": "integer", "minimum": 1, "default": 50, "description": "Calls to a model a day."},
	"warn_percent": {"type": "number", "minimum": 1, "maximum": 100, "default": 80, "description": "Above this share it warns."},
})

used := input.counters.device.today.requests

alert contains text if {
	calls.asked
	people.concerned
	used * 100 > data.params.daily_threshold * data.params.warn_percent
	used < data.params.daily_threshold
	text := sprintf("%d of %d requests today", [used, data.params.daily_threshold])
}

alert contains text if {
	calls.asked
	people.concerned
	used == data.params.daily_threshold
	text := sprintf("the last of %d requests today", [used])
}

deny contains text if {
	calls.asked
	people.concerned
	used > data.params.daily_threshold
	text := sprintf("more than %d requests today", [data.params.daily_threshold])
}
