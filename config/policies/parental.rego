# Keeps children away from topics and places: for the groups of minors alone.
#
# `categories` are lists of words that come with it; `blocked_keywords` are the household's
# own. Whole words count, letters of either case, in the last 4,000 characters of the prompt. `restricted_endpoints` are for others only.
# In safe mode a child may use only the models in `safe_models`.
package yori.parental

import data.yori.lib.amounts

parameters := {
	"minor_groups": {"type": "strings", "default": ["child", "children", "kids", "minor", "minors", "teen", "teens"], "description": "Groups that it is for."},
	"categories": {
		"type": "strings",
		"enum": ["adult", "violence", "gambling", "drugs", "weapons"],
		"default": ["adult", "violence", "gambling", "drugs", "weapons"],
		"description": "Topics that are blocked.",
	},
	"blocked_keywords": {"type": "strings", "default": [], "description": "Further words, lower case."},
	"allowed_keywords": {"type": "strings", "default": [], "description": "Words of the topics that are allowed here."},
	"restricted_endpoints": {"type": "strings", "default": [], "description": "Hosts that are not for minors."},
	"safe_mode": {"type": "boolean", "default": false, "description": "Only `safe_models`."},
	"safe_models": {"type": "strings", "default": [], "description": "Models for safe mode; may end in `*`."},
}

topics := {
	"adult": ["porn", "pornography", "nude", "nudes", "sex", "sexting", "erotic", "erotica", "nsfw", "onlyfans"],
	"violence": ["murder", "kill someone", "torture", "gore", "behead", "massacre", "self-harm", "suicide"],
	"gambling": ["casino", "poker", "roulette", "blackjack", "sports betting", "slot machine", "bookmaker"],
	"drugs": ["cocaine", "heroin", "meth", "ecstasy", "mdma", "lsd", "weed", "vape", "fentanyl"],
	"weapons": ["pipe bomb", "explosives", "ghost gun", "handgun", "ammunition", "silencer", "molotov"],
}

is_minor if {
	some group in data.params.minor_groups
	group in input.device.groups
}

# The program's own words, and those of the model, are nobody's question.
asked := lower(concat("\n", [input.said.person, input.said.tool]))

# Every run of other characters is one space, so that a word can be looked for with spaces
# around it.
spaced := sprintf(" %s ", [regex.replace(asked, `[^\p{L}\p{N}-]+`, " ")])

# Most prompts hold none of the words at all, and need no second look.
holds(word) if {
	first := split(word, " ")[0]
	contains(asked, first)
	contains(spaced, sprintf(" %s ", [word]))
}

deny contains text if {
	is_minor
	some category in data.params.categories
	some word in topics[category]
	not word in data.params.allowed_keywords
	holds(word)
	text := sprintf("%s is not a topic for this device", [category])
}

deny contains "the prompt holds a word that is not for this device" if {
	is_minor
	some word in data.params.blocked_keywords
	holds(lower(word))
}

deny contains text if {
	is_minor
	input.endpoint.domain in data.params.restricted_endpoints
	text := sprintf("%s is not for this device", [input.endpoint.domain])
}

deny contains text if {
	is_minor
	data.params.safe_mode
	some model in models
	not is_safe(model)
	text := sprintf("model %s is not one of the safe ones", [substring(model, 0, 100)])
}

models contains input.model if input.model != null

models contains model if some model in input.request.models

is_safe(model) if {
	some entry in data.params.safe_models
	amounts.names_model(entry, model)
}
