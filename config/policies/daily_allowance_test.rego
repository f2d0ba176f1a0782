package yori.daily_allowance_test

import data.yori.daily_allowance

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in daily_allowance.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

day(requests, minutes) := {"requests": requests, "minutes": minutes}

used(today, days) := {"device": device([]), "counters": {"device": {"today": today, "days": days}}}

said(given, document) := answer if {
	answer := {"alert": daily_allowance.alert, "deny": daily_allowance.deny} with data.params as params(given)
		with input as document
}

test_counts_messages if {
	said({}, used(day(27, 0), [])) == {"alert": set(), "deny": set()}
	said({}, used(day(28, 0), [])) == {"alert": {"2 messages are left today"}, "deny": set()}
	said({}, used(day(30, 0), [])) == {"alert": {"0 messages are left today"}, "deny": set()}
	said({}, used(day(31, 0), [])) == {"alert": set(), "deny": {"today's 30 messages are used up"}}
}

test_carries_over_what_was_left if {
	said({}, used(day(40, 0), [day(20, 0)])).deny == set()
	said({}, used(day(41, 0), [day(20, 0)])).deny == {"today's 40 messages are used up"}
	said({}, used(day(46, 0), [day(0, 0)])).deny == {"today's 45 messages are used up"}
	said({}, used(day(31, 0), [day(35, 0)])).deny == {"today's 30 messages are used up"}
	said({"carry_days": 2}, used(day(31, 0), [day(40, 0), day(20, 0)])).deny == {"today's 30 messages are used up"}
	said({"carry_days": 0}, used(day(31, 0), [day(0, 0)])).deny == {"today's 30 messages are used up"}
}

test_counts_minutes if {
	minutes := {"messages": 0, "minutes": 60}
	said(minutes, used(day(900, 60), [])).deny == set()
	said(minutes, used(day(900, 61), [])).deny == {"today's 60 minutes are used up"}
	said(minutes, used(day(900, 90), [day(0, 20)])).deny == set()
	said(minutes, used(day(900, 91), [day(0, 20)])).deny == {"today's 90 minutes are used up"}
	said(minutes, used(day(900, 58), [])).alert == {"2 minutes are left today"}
}
