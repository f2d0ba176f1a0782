# Amounts as people write them.
package yori.lib.amounts

# 12.5 is "12.50".
dollars(amount) := text if {
	cents := round(amount * 100)
	rest := cents % 100
	text := sprintf("%d.%02d", [floor(cents / 100), rest])
}

# The name of a model matches an entry of a list: letters of either case, and an entry may
# end in `*`.
names_model(entry, model) if lower(entry) == lower(model)

names_model(entry, model) if {
	endswith(entry, "*")
	startswith(lower(model), lower(trim_suffix(entry, "*")))
}
