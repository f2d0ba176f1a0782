# Amounts as people write them.
package yori.lib.amounts

# 12.5 is "12.50".
dollars(amount) := text if {
	cents := round(amount * 100)
	rest := cents % 100
	text := sprintf("%d.%02d", [floor(cents / 100), rest])
}

# What the message of a budget adds where some of what it counts is an upper estimate; at least
# a cent of it, since it is the most.
estimated(usd) := "" if usd <= 0

estimated(usd) := text if {
	usd > 0
	text := sprintf(" (of what is used $%s is estimated: the most that calls without a known price can have cost)", [dollars(ceil(usd * 100) / 100)])
}

# The name of a model matches an entry of a list: letters of either case, and an entry may
# end in `*`.
names_model(entry, model) if lower(entry) == lower(model)

names_model(entry, model) if {
	endswith(entry, "*")
	startswith(lower(model), lower(trim_suffix(entry, "*")))
}
