# Warns about long prompts, and denies very long ones; lengths are characters of the person's
# words that this conversation has not heard before. What programs and tools write is as long
# as it is.
package yori.prompt_length

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"warn_chars": {"type": "integer", "minimum": 1, "default": 5000, "description": "Above this it warns."},
	"max_chars": {"type": "integer", "minimum": 1, "default": 20000, "description": "Above this it denies."},
})

alert contains text if {
	people.concerned
	input.said_chars.person > data.params.warn_chars
	input.said_chars.person <= data.params.max_chars
	text := sprintf("a prompt of %d characters", [input.said_chars.person])
}

deny contains text if {
	people.concerned
	input.said_chars.person > data.params.max_chars
	text := sprintf("a prompt of %d characters; %d are allowed", [input.said_chars.person, data.params.max_chars])
}
