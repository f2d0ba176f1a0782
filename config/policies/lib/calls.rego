# What a request asks: shared by the policies beside this folder.
package yori.lib.calls

# Lists, settings, polls and counts of tokens ask no model and cost nothing: a budget that is
# spent is no reason to refuse them. A request of which that is not said is a call.
default asked := true

asked := false if input.request.call == false
