package yori.bedtime_test

import data.yori.bedtime

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in bedtime.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

at(day, before, hour) := {
	"device": device(["children"]),
	"context": {"day_of_week": day, "day_before": before, "hour": hour},
}

denied(given, document) if {
	count(bedtime.deny) > 0 with data.params as params(given) with input as document
}

test_begins_at_its_hour if {
	not denied({}, at("monday", "sunday", 20))
	denied({}, at("monday", "sunday", 21))
}

test_ends_at_its_hour if {
	denied({}, at("monday", "sunday", 5))
	not denied({}, at("monday", "sunday", 6))
}

test_a_night_belongs_to_its_evening if {
	denied({"days": ["friday"]}, at("saturday", "friday", 2))
	not denied({"days": ["friday"]}, at("friday", "thursday", 2))
	denied({"days": ["friday"]}, at("friday", "thursday", 23))
	not denied({"days": ["friday"]}, at("saturday", "friday", 23))
}

test_may_lie_within_a_day if {
	siesta := {"start_hour": 13, "end_hour": 15}
	denied(siesta, at("monday", "sunday", 13))
	not denied(siesta, at("monday", "sunday", 15))
	not denied(siesta, at("monday", "sunday", 12))
}

test_leaves_parents_and_devices_alone if {
	parent := object.union(at("monday", "sunday", 23), {"device": device(["children", "parents"])})
	not denied({}, parent)
	not denied({"exempt_devices": ["192.0.2.10"]}, at("monday", "sunday", 23))
	not denied({"exempt_devices": ["02:00:5e:10:00:01"]}, at("monday", "sunday", 23))
	not denied({"groups": ["teens"]}, at("monday", "sunday", 23))
	denied({"groups": ["children"]}, at("monday", "sunday", 23))
}

test_says_when if {
	bedtime.deny == {"it is bedtime (21:00 to 06:00)"} with data.params as params({})
		with input as at("monday", "sunday", 23)
	bedtime.deny == {"sleep"} with data.params as params({"message": "sleep"})
		with input as at("monday", "sunday", 23)
}
