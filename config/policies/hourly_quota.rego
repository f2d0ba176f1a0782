# Denies more calls to a model in an hour of the clock than `per_hour`; more are allowed from
# `peak_start_hour` to `peak_end_hour`, when homework is done.
#
# Lists, settings, counts of tokens and polls are no calls; what was blocked, or failed before a
# model got to it, does not count.
package yori.hourly_quota

import data.yori.lib.calls
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"per_hour": {"type": "integer", "minimum": 0, "default": 10, "description": "Calls to a model in an hour."},
	"peak_per_hour": {"type": "integer", "minimum": 0, "default": 20, "description": "The same at peak time."},
	"peak_start_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 17, "description": "When peak time begins."},
	"peak_end_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 21, "description": "When it ends."},
})

deny contains text if {
	calls.asked
	people.concerned
	input.counters.device.hour.requests > quota
	text := sprintf("more than %d requests in this hour", [quota])
}

default quota := 0

quota := data.params.peak_per_hour if is_peak

quota := data.params.per_hour if not is_peak

is_peak if {
	input.context.hour >= data.params.peak_start_hour
	input.context.hour < data.params.peak_end_hour
}
