package yori.cost_limit_test

import data.yori.cost_limit

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in cost_limit.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

used(cost, tokens, estimate) := {
	"device": device([]),
	"estimate": {"cost_usd": estimate, "input_tokens": 100},
	"counters": {"device": {
		"today": {"cost_usd": cost, "tokens": tokens},
		"month": {"cost_usd": cost * 10, "tokens": tokens * 10},
	}},
}

said(given, document) := answer if {
	answer := {"alert": cost_limit.alert, "deny": cost_limit.deny} with data.params as params(given)
		with input as document
}

test_warns_at_three_levels if {
	said({}, used(0.49, 0, 0)).alert == set()
	said({}, used(0.5, 0, 0)).alert == {"50 % of 1 dollars today are used"}
	said({}, used(0.75, 0, 0)).alert == {"75 % of 1 dollars today are used"}
	said({}, used(0.9, 0, 0)).alert == {"90 % of 1 dollars today are used"}
}

test_denies_at_the_limit if {
	said({}, used(1, 0, 0)).deny == {"the limit of 1 dollars today is reached"}
	said({}, used(0.99, 0, 0.01)).deny == set()
	said({}, used(0.99, 0, 0.02)).deny == {"this request would go over the limit of 1 dollars today"}
	said({}, used(0.99, 0, null)).deny == set()
}

test_says_what_is_estimated if {
	guessed := object.union(used(1, 0, 0), {"counters": {"device": {"today": {"cost_usd": 1, "estimated_usd": 0.301}}}})
	said({}, guessed).deny == {"the limit of 1 dollars today is reached (of what is used $0.31 is estimated: the most that calls without a known price can have cost)"}
}

test_counts_tokens_and_months if {
	said({"daily_usd": 0, "daily_tokens": 1000}, used(9, 1000, 0)).deny == {"the limit of 1000 tokens today is reached"}
	said({"daily_usd": 0, "daily_tokens": 1000}, used(9, 901, 0)).deny == {"this request would go over the limit of 1000 tokens today"}
	said({"daily_usd": 0, "monthly_tokens": 1000}, used(9, 100, 0)).deny == {"the limit of 1000 tokens this month is reached"}
	said({"daily_usd": 0, "monthly_usd": 10}, used(1, 0, 0)).deny == {"the limit of 10 dollars this month is reached"}
	said({"daily_usd": 0}, used(1000, 1000000, 0)) == {"alert": set(), "deny": set()}
}
