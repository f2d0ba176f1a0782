# Denies from `start_hour` to `end_hour`, over midnight when the end comes before the start.
#
# A night belongs to the day on which it began: with `days: [friday]` it holds from Friday
# 21:00 to Saturday 06:00. The start is in, the end is not. Hours are those of
# `enforcement.timezone`.
package yori.bedtime

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"start_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 21, "description": "The hour at which it begins."},
	"end_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 6, "description": "The hour at which it ends."},
	"days": {"type": "days", "default": [], "description": "Days on which it begins; none means every day."},
	"message": {"type": "string", "default": "", "description": "What people are told."},
})

deny contains text if {
	is_time
	people.concerned
}

text := data.params.message if data.params.message != ""

text := sprintf("it is bedtime (%02d:00 to %02d:00)", [data.params.start_hour, data.params.end_hour]) if {
	data.params.message == ""
}

# Within one day.
is_time if {
	data.params.start_hour < data.params.end_hour
	input.context.hour >= data.params.start_hour
	input.context.hour < data.params.end_hour
	begins_on(input.context.day_of_week)
}

# The evening of a night.
is_time if {
	data.params.start_hour > data.params.end_hour
	input.context.hour >= data.params.start_hour
	begins_on(input.context.day_of_week)
}

# Its morning.
is_time if {
	data.params.start_hour > data.params.end_hour
	input.context.hour < data.params.end_hour
	begins_on(input.context.day_before)
}

begins_on(_) if count(data.params.days) == 0

begins_on(day) if day in data.params.days
