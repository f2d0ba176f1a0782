# Keys, tokens and passwords in a prompt. `level` says how sure it must be: `strict` acts on all
# that was found, `permissive` on what can hardly be anything else. Kinds in `redact` are taken
# out of the request and put back into its answer; `answer` is for the rest. Kinds are those of
# docs/DETECT.md: GITHUB_TOKEN, PRIVATE_KEY, PASSWORD.
package yori.secrets

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"exempt_groups": {"type": "strings", "default": [], "description": "Groups that are left alone."},
	"level": {
		"type": "string",
		"enum": ["strict", "moderate", "permissive"],
		"default": "moderate",
		"description": "How sure it must be: 0.5, 0.7, 0.9.",
	},
	"redact": {"type": "strings", "default": [], "description": "Kinds that are taken out."},
	"ignore": {"type": "strings", "default": [], "description": "Kinds that are passed over."},
	"answer": {
		"type": "string",
		"enum": ["note", "redact", "refuse"],
		"default": "refuse",
		"description": "What is done about the rest.",
	},
})

least := {"strict": 0.5, "moderate": 0.7, "permissive": 0.9}

# What the program always says of itself tells nothing.
found contains finding.kind if {
	people.concerned
	some finding in input.findings
	finding.class == "secret"
	finding.who in {"person", "tool"}
	finding.confidence >= least[data.params.level]
	not finding.kind in data.params.ignore
}

text(kind) := sprintf("the prompt holds a secret: %s", [kind])

deny contains text(kind) if {
	some kind in found
	not kind in data.params.redact
	data.params.answer == "refuse"
}

alert contains text(kind) if {
	some kind in found
	not kind in data.params.redact
	data.params.answer == "note"
}

taken contains kind if {
	some kind in found
	kind in data.params.redact
}

taken contains kind if {
	some kind in found
	data.params.answer == "redact"
}

redact contains text(kind) if some kind in taken

redactions contains {"finding": kind} if some kind in taken
