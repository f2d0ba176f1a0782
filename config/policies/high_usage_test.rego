package yori.high_usage_test

import data.yori.high_usage

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in high_usage.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

used(requests) := {"device": device([]), "counters": {"device": {"today": {"requests": requests}}}}

said(requests) := answer if {
	answer := {"alert": high_usage.alert, "deny": high_usage.deny} with data.params as params({})
		with input as used(requests)
}

test_warns_above_its_share if {
	said(40) == {"alert": set(), "deny": set()}
	said(41) == {"alert": {"41 of 50 requests today"}, "deny": set()}
	said(49) == {"alert": {"49 of 50 requests today"}, "deny": set()}
	said(50) == {"alert": {"the last of 50 requests today"}, "deny": set()}
}

test_denies_above_the_threshold if said(51) == {"alert": set(), "deny": {"more than 50 requests today"}}

test_leaves_parents_alone if {
	parent := object.union(used(1000), {"device": device(["parents"])})
	high_usage.deny == set() with data.params as params({}) with input as parent
}
