# Notices homework: words of a task beside words of a school subject.
#
# Alerts when a prompt holds one of each, or a phrase that says it all; denies it during
# school hours when `during_school_hours` is on. Words are looked for in what the person
# says that this conversation has not heard before, phrases in what tools bring, too.
package yori.homework_helper

import data.yori.lib.people

parameters := object.union(people.parameters, {
	"during_school_hours": {"type": "boolean", "default": true, "description": "Denies it then; otherwise it only notices."},
	"school_start_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 8, "description": "When school begins."},
	"school_end_hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 15, "description": "When it ends."},
	"more_words": {"type": "strings", "default": [], "description": "Further words of a task, lower case."},
})

tasks := [
	"homework", "assignment", "essay", "worksheet", "exercise", "quiz", "exam", "test question",
	"book report", "lab report", "term paper", "thesis statement", "problem set", "flashcard",
	"study guide", "multiple choice", "fill in the blank", "show your work", "solve for",
	"write a paragraph", "summarize the chapter", "due tomorrow", "my teacher",
]

subjects := [
	"math", "algebra", "geometry", "calculus", "equation", "fraction", "physics", "chemistry",
	"biology", "history", "geography", "literature", "shakespeare", "grammar", "spanish",
	"french", "science", "economics",
]

phrases := ["do my homework", "write my essay", "answer this quiz", "solve this for my class"]

# The program's own words, and those of the model, are nobody's question.
asked := lower(input.said.person)

brought := lower(input.said.tool)

is_homework if {
	some phrase in phrases
	some text in [asked, brought]
	contains(text, phrase)
}

is_homework if {
	some word in array.concat(tasks, data.params.more_words)
	contains(asked, word)
	some subject in subjects
	contains(asked, subject)
}

in_school if {
	not input.context.is_weekend
	input.context.hour >= data.params.school_start_hour
	input.context.hour < data.params.school_end_hour
}

deny contains "homework is not for a model during school hours" if {
	data.params.during_school_hours
	in_school
	people.concerned
	is_homework
}

alert contains "this looks like homework" if {
	not denied
	people.concerned
	is_homework
}

denied if {
	data.params.during_school_hours
	in_school
}
