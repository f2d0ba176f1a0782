# Denies models that `models` does not name; allows those that it names.
#
# A name may end in `*`. The explicit word of allowance silences the default policy, so that
# with a default that blocks these models are all that is allowed. Models in `denied` are
# denied whatever `models` says, and wherever in a longer name they stand: `gpt-4o` denies
# `openai/gpt-4o:free`, too. A request that names no model is none of its business.
package yori.model_allowlist

import data.yori.lib.amounts
import data.yori.lib.people

parameters := object.union(people.parameters, {
	"models": {"type": "strings", "description": "Models that are allowed; `*` at the end for all that begin so."},
	"denied": {"type": "strings", "default": [], "description": "Models that are not, although `models` names them."},
})

allow if {
	people.concerned
	is_named
	not is_denied
}

deny contains text if {
	people.concerned
	input.model != null
	not is_allowed
	text := sprintf("model %s is not among those allowed", [substring(input.model, 0, 100)])
}

is_allowed if {
	is_named
	not is_denied
}

is_named if {
	some entry in data.params.models
	amounts.names_model(entry, input.model)
}

# The whole of it, and what stands behind a provider, a region, a publisher and before a version.
names contains input.model

names contains name if {
	some part in split(input.model, "/")
	some before_version in split(part, "@")
	some name in split(before_version, ":")
	name != ""
}

is_denied if {
	some entry in data.params.denied
	some name in names
	amounts.names_model(entry, name)
}
