# Orders to the model that whoever reads the answer did not give: in what a tool or a fetched page
# says, where they do harm, and in a person's words. `level` says how sure it must be. `ignore`
# passes over kinds (OVERRIDE, INVISIBLE_TEXT: docs/DETECT.md), `redact` takes them out.
package yori.injection

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"exempt_groups": {"type": "strings", "default": [], "description": "Groups that are left alone."},
	"level": {
		"type": "string",
		"enum": ["strict", "moderate", "permissive"],
		"default": "moderate",
		"description": "How sure it must be in a person's words: 0.5, 0.6, 0.8; in a tool's: 0.5, 0.5, 0.7.",
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

least := {
	"person": {"strict": 0.5, "moderate": 0.6, "permissive": 0.8},
	"tool": {"strict": 0.5, "moderate": 0.5, "permissive": 0.7},
}

found contains finding.kind if {
	people.concerned
	some finding in input.findings
	finding.class == "injection"
	finding.confidence >= least[finding.who][data.params.level]
	not finding.kind in data.params.ignore
}

text(kind) := sprintf("the prompt holds orders to the model: %s", [kind])

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
