# Denies models that `models` does not name; allows those that it names.
#
# A name may end in `*`. The explicit word of allowance silences the default policy, so that
# with a default that blocks these models are all that is allowed. Models in `denied` are
# denied whatever `models` says, and wherever in a longer name they stand: `gpt-4o` denies
# `openai/gpt-4o:free`, too. A request that names no model is none of its business; of one that
# names several, to fall back to or one for each request of a batch, all count.
package yori.model_allowlist

import data.yori.lib.amounts
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"models": {"type": "strings", "description": "Models that are allowed; `*` at the end for all that begin so."},
	"denied": {"type": "strings", "default": [], "description": "Models that are not, although `models` names them."},
})

allow if {
	people.concerned
	count(models) > 0
	every model in models {
		is_allowed(model)
	}
}

deny contains text if {
	people.concerned
	some model in models
	not is_allowed(model)
	text := sprintf("model %s is not among those allowed", [substring(model, 0, 100)])
}

models contains input.model if input.model != null

models contains model if some model in input.request.models

is_allowed(model) if {
	is_named(model)
	not is_denied(model)
}

is_named(model) if {
	some entry in data.params.models
	amounts.names_model(entry, model)
}

# The whole of it, and what stands behind a provider, a region, a publisher (Bedrock's stand
# before dots: `eu.anthropic.claude-opus-4`) and before a version.
names(model) := {model} | {name |
	some part in split(model, "/")
	some before_version in split(part, "@")
	some name in split(before_version, ":")
	name != ""
} | {name |
	some part in split(model, "/")
	name := regex.replace(part, `^([a-z]+(-[a-z]+)*\.)+`, "")
	name != ""
}

is_denied(model) if {
	some entry in data.params.denied
	some name in names(model)
	amounts.names_model(entry, name)
}
