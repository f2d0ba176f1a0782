package yori.hourly_quota_test

import data.yori.hourly_quota

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in hourly_quota.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

used(requests, hour) := {
	"device": device([]),
	"context": {"hour": hour},
	"counters": {"device": {"hour": {"requests": requests}}},
}

denied(requests, hour) if {
	count(hourly_quota.deny) > 0 with data.params as params({}) with input as used(requests, hour)
}

test_holds_off_peak if {
	not denied(10, 16)
	denied(11, 16)
	not denied(10, 21)
	denied(11, 21)
}

test_is_wider_at_peak if {
	not denied(20, 17)
	denied(21, 17)
	not denied(20, 20)
	denied(21, 20)
}
