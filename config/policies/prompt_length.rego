# Warns about long prompts, and denies very long ones; lengths are characters of all the text
# that goes to the model.
package yori.prompt_length

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"warn_chars": {"type": "integer", "minimum": 1, "default": 5000, "description": "Above this it warns."},
	"max_chars": {"type": "integer", "minimum": 1, "default": 20000, "description": "Above this it denies."},
})

alert contains text if {
	people.concerned
	input.prompt_chars > data.params.warn_chars
	input.prompt_chars <= data.params.max_chars
	text := sprintf("a prompt of %d characters", [input.prompt_chars])
}

deny contains text if {
	people.concerned
	input.prompt_chars > data.params.max_chars
	text := sprintf("a prompt of %d characters; %d are allowed", [input.prompt_chars, data.params.max_chars])
}
