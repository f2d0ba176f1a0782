# So many messages and minutes a day, with what was left of the days before.
#
# A message is a call to a model. A minute counts in which there was one. What was not used of the last `carry_days`
# days is added, up to `carry_messages` and `carry_minutes`; what was used beyond the allowance
# is taken off. Requests that were blocked do not count. An allowance of 0 is no limit.
package yori.daily_allowance

import data.yori.lib.calls
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"messages": {"type": "integer", "minimum": 0, "default": 30, "description": "Messages a day; 0 is no limit."},
	"minutes": {"type": "integer", "minimum": 0, "default": 0, "description": "Minutes a day; 0 is no limit."},
	"carry_days": {"type": "integer", "minimum": 0, "maximum": 7, "default": 1, "description": "Days whose rest is added."},
	"carry_messages": {"type": "integer", "minimum": 0, "default": 15, "description": "Most messages that are added."},
	"carry_minutes": {"type": "integer", "minimum": 0, "default": 30, "description": "Most minutes that are added."},
	"warn_left": {"type": "integer", "minimum": 0, "default": 3, "description": "Warns when so many messages or minutes are left."},
})

today := input.counters.device.today

# A device without days before today has used nothing of them, and saved nothing.
earlier := array.slice(input.counters.device.days, 0, data.params.carry_days)

carried(allowance, name, most) := max([0, min([most, saved])]) if {
	saved := sum([allowance - day[name] | some day in earlier])
}

messages := data.params.messages + carried(data.params.messages, "requests", data.params.carry_messages)

minutes := data.params.minutes + carried(data.params.minutes, "minutes", data.params.carry_minutes)

deny contains text if {
	calls.asked
	people.concerned
	data.params.messages > 0
	today.requests > messages
	text := sprintf("today's %d messages are used up", [messages])
}

deny contains text if {
	calls.asked
	people.concerned
	data.params.minutes > 0
	today.minutes > minutes
	text := sprintf("today's %d minutes are used up", [minutes])
}

alert contains text if {
	calls.asked
	people.concerned
	data.params.messages > 0
	left := messages - today.requests
	left >= 0
	left < data.params.warn_left
	text := sprintf("%d messages are left today", [left])
}

alert contains text if {
	calls.asked
	people.concerned
	data.params.minutes > 0
	left := minutes - today.minutes
	left >= 0
	left < data.params.warn_left
	text := sprintf("%d minutes are left today", [left])
}
