package yori.model_allowlist_test

import data.yori.model_allowlist

# What the policy gets when the operator gives `given`.
params(given) := object.union({name: parameter["default"] | some name, parameter in model_allowlist.parameters}, given)

device(groups) := {"ip": "192.0.2.10", "mac": "02:00:5e:10:00:01", "groups": groups}

asked(model) := {"device": device([]), "model": model}

given := {"models": ["gpt-4o-mini", "claude-*"], "denied": ["claude-opus*"]}

allowed(model) if model_allowlist.allow with data.params as params(given) with input as asked(model)

denied(model) if count(model_allowlist.deny) > 0 with data.params as params(given) with input as asked(model)

test_allows_what_it_names if {
	allowed("gpt-4o-mini")
	allowed("Claude-Sonnet-4-5")
	not denied("gpt-4o-mini")
}

test_denies_the_others if {
	denied("gpt-4o")
	denied("gpt-4o-mini-high")
	not allowed("gpt-4o")
}

test_denied_counts_more if {
	denied("claude-opus-4")
	not allowed("claude-opus-4")
}

test_denies_behind_a_provider_and_before_a_version if {
	every model in ["openai/claude-opus-4", "models/CLAUDE-opus-4:free", "arn:aws:bedrock:us-east-1::foundation-model/claude-opus-4", "us-gov.anthropic.claude-opus-4-v1:0"] {
		denied(model)
	}
	not denied("claude-sonnet/opus")

	# A version has a digit: what stands behind its dot is no model.
	not model_allowlist.is_denied("gpt-4.claude-opus") with data.params as params(given)
}

test_says_nothing_without_a_model if {
	not allowed(null)
	not denied(null)
}

named(models) := {"device": device([]), "model": "gpt-4o-mini", "request": {"models": models}}

test_denies_one_of_several if {
	count(model_allowlist.deny) == 1 with data.params as params(given) with input as named(["gpt-4o-mini", "claude-opus-4"])
	not model_allowlist.allow with data.params as params(given) with input as named(["gpt-4o-mini", "claude-opus-4"])
	model_allowlist.allow with data.params as params(given) with input as named(["gpt-4o-mini", "claude-sonnet-4"])
}
