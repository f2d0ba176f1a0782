package yori.budget_test

import data.yori.budget

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in budget.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

spent(cost, estimate) := {
	"device": device(["children"]),
	"estimate": {"cost_usd": estimate},
	"counters": {
		"device": {"month": {"cost_usd": cost}},
		"groups": {"children": {"month": {"cost_usd": cost * 2}}},
	},
}

said(given, document) := answer if {
	answer := {"alert": budget.alert, "deny": budget.deny} with data.params as params(given)
		with input as document
}

test_warns_twice if {
	said({}, spent(39.99, 0)) == {"alert": set(), "deny": set()}
	said({}, spent(40, 0)) == {"alert": {"80 % of the month's budget of $50.00 is spent"}, "deny": set()}
	said({}, spent(47.5, 0)) == {"alert": {"95 % of the month's budget of $50.00 is spent"}, "deny": set()}
}

test_denies_what_is_spent if {
	said({}, spent(50, 0)).deny == {"the month's budget of $50.00 is spent"}
	said({}, spent(49.99, 0)).deny == set()
	said({"monthly_usd": 0}, spent(0, 0)).deny == {"the month's budget of $0.00 is spent"}
}

test_denies_what_would_go_over if {
	said({}, spent(49.5, 0.5)).deny == set()
	said({}, spent(49.5, 0.51)).deny == {"this request would cost more than the $0.50 that are left of the month's budget"}
}

test_an_unknown_price_is_no_cost if said({}, spent(49.5, null)).deny == set()

test_says_what_is_estimated if {
	guessed := object.union(spent(50, 0), {"counters": {"device": {"month": {"estimated_usd": 12.5}}}})
	said({}, guessed).deny == {"the month's budget of $50.00 is spent (of what is used $12.50 is estimated: the most that calls without a known price can have cost)"}
}

test_a_group_may_share_it if {
	shared := {"scope": "group", "groups": ["children"]}
	said(shared, spent(24.99, 0)).deny == set()
	said(shared, spent(25, 0)).deny == {"the month's budget of $50.00 is spent"}
}

test_refuses_calls_alone if {
	no_call := object.union(spent(50, 0), {"request": {"call": false}})
	said({}, no_call) == {"alert": set(), "deny": set()}
	call := object.union(spent(50, 0), {"request": {"call": true}})
	said({}, call).deny == {"the month's budget of $50.00 is spent"}
}
