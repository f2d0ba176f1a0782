package yori.agent_governor_test

import data.yori.agent_governor

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in agent_governor.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

stood(session) := {
	"device": device([]),
	"session": object.union({"tool_calls": 0, "tokens": 0, "cost_usd": 0, "requests": 0, "minutes": 0}, session),
}

said(given, session) := answer if {
	answer := [count(agent_governor.alert), count(agent_governor.deny)] with data.params as params(given)
		with input as stood(session)
}

test_stops_at_each_limit if {
	said({}, {"tool_calls": 79}) == [0, 0]
	said({}, {"tool_calls": 80}) == [1, 0]
	said({}, {"tool_calls": 100}) == [0, 1]
	said({}, {"tokens": 999999}) == [1, 0]
	said({}, {"tokens": 1000000}) == [0, 1]
	said({}, {"cost_usd": 5}) == [0, 1]
	said({"max_requests": 3}, {"requests": 3}) == [0, 1]
	said({"max_minutes": 30}, {"minutes": 29.9}) == [1, 0]
	said({"max_minutes": 30}, {"minutes": 30.1}) == [0, 1]
}

test_says_what_is_estimated if {
	messages := agent_governor.deny with data.params as params({})
		with input as stood({"cost_usd": 5, "estimated_usd": 1})
	some text in messages
	contains(text, "5 US dollars (of what is used $1.00 is estimated")
}

test_zero_is_no_limit if said({"max_tool_calls": 0}, {"tool_calls": 100000}) == [0, 0]

test_needs_a_conversation if {
	agent_governor.deny == set() with data.params as params({}) with input as {"device": device([]), "session": null}
}

test_speaks_to_the_agent if {
	agent_governor.deny == {"this conversation has reached its limit of 100 tool calls: stop here, do not try again, and tell the user"} with data.params as params({})
		with input as stood({"tool_calls": 100})
}

test_holds_where_told_so if {
	agent_governor.hold == {"this conversation has reached its limit of 100 tool calls: stop here, do not try again, and tell the user"} with data.params as params({"over": "hold"})
		with input as stood({"tool_calls": 100})
	agent_governor.hold == set() with data.params as params({}) with input as stood({"tool_calls": 100})
	agent_governor.deny == set() with data.params as params({"over": "hold"}) with input as stood({"tool_calls": 100})
}
