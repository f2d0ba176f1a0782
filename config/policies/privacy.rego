# Personal data in a prompt: what was found decides, and how strict the household is.
#
# Cards, bank accounts and social security numbers are denied at every level and for
# everyone; who is exempt is exempt from the rest alone. `strict` denies the rest as well,
# `moderate` warns about it, `permissive` says nothing. Kinds in `redact` are taken out of the
# request instead, where the appliance can do so, and in `ignore` are passed over; that comes
# before `answer`, which is for the rest. What is found: credit_card, iban, us_ssn, email, phone,
# ip_address, street_address, date_of_birth, person_name, by these names or as entities
# (`CREDIT_CARD`), and the other entities of docs/DETECT.md (`DE_TAX_ID`).
package yori.privacy

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"level": {
		"type": "string",
		"enum": ["strict", "moderate", "permissive"],
		"default": "moderate",
		"description": "What becomes of an address or a telephone number.",
	},
	"redact": {"type": "strings", "default": [], "description": "Kinds that are taken out."},
	"ignore": {"type": "strings", "default": [], "description": "Kinds that are passed over."},
	"answer": {
		"type": "string",
		"enum": ["by_level", "note", "redact", "refuse"],
		"default": "by_level",
		"description": "What is done about it; by_level: refuse what is grave, or all where strict, and note the rest.",
	},
})

never := {"credit_card", "iban", "us_ssn"}

words := {
	"credit_card": "a card number",
	"iban": "a bank account",
	"us_ssn": "a social security number",
	"email": "an e-mail address",
	"phone": "a telephone number",
	"ip_address": "an IP address",
	"street_address": "a street address",
	"date_of_birth": "a date of birth",
	"person_name": "a person's name",
}

# An address that the program always says of itself tells nothing.
found contains finding.kind if {
	some finding in input.findings
	finding.who in {"person", "tool"}
	object.get(finding, "class", "pii") == "pii"
	not named(finding, data.params.ignore)
}

# By either of its names.
named(finding, kinds) if finding.kind in kinds

named(finding, kinds) if finding.entity in kinds

# What is taken out whatever is done about the rest.
out contains finding.kind if {
	some finding in input.findings
	named(finding, data.params.redact)
}

grave contains kind if {
	some kind in found
	kind in never
}

light contains kind if {
	some kind in found
	not kind in never
	people.concerned
}

text(kind) := sprintf("the prompt holds %s", [object.get(words, kind, kind)])

# What something is done about that is not taken out already.
rest contains kind if {
	some kind in grave
	not kind in out
}

rest contains kind if {
	some kind in light
	data.params.level != "permissive"
	not kind in out
}

answer(kind) := data.params.answer if data.params.answer != "by_level"

answer(kind) := "refuse" if {
	data.params.answer == "by_level"
	refused(kind)
}

answer(kind) := "note" if {
	data.params.answer == "by_level"
	not refused(kind)
}

refused(kind) if kind in never

refused(kind) if data.params.level == "strict"

deny contains text(kind) if {
	some kind in rest
	answer(kind) == "refuse"
}

alert contains text(kind) if {
	some kind in rest
	answer(kind) == "note"
}

taken contains kind if {
	some kind in found
	kind in out
}

taken contains kind if {
	some kind in rest
	answer(kind) == "redact"
}

redact contains text(kind) if some kind in taken

redactions contains {"finding": kind} if some kind in taken
