# Personal data in a prompt: what was found decides, and how strict the household is.
#
# Cards, bank accounts and social security numbers are denied at every level and for
# everyone; who is exempt is exempt from the rest alone. `strict` denies the rest as well,
# `moderate` warns about it, `permissive` says nothing. Kinds in `redact` are taken out of the
# request instead, where the appliance can do so, and in `ignore` are passed over. What is
# found: credit_card, iban, us_ssn, email, phone, ip_address, street_address, date_of_birth,
# person_name.
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
	not finding.kind in data.params.ignore
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

deny contains text(kind) if {
	some kind in grave
	not kind in data.params.redact
}

deny contains text(kind) if {
	some kind in light
	data.params.level == "strict"
	not kind in data.params.redact
}

redact contains text(kind) if {
	some kind in found
	kind in data.params.redact
}

redactions contains {"finding": kind} if {
	some kind in found
	kind in data.params.redact
}

alert contains text(kind) if {
	some kind in light
	data.params.level == "moderate"
	not kind in data.params.redact
}
