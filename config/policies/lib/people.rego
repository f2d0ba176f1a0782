# Whom a policy is for: shared by the policies beside this folder.
#
# `groups` names the groups that it is for, none meaning everyone; `exempt_groups` and
# `exempt_devices` (IP or MAC addresses) are left alone whatever their groups.
package yori.lib.people

parameters := {
	"groups": {"type": "strings", "default": [], "description": "Groups that it is for; none means everyone."},
	"exempt_groups": {
		"type": "strings",
		"default": ["admin", "parent", "parents", "adult", "adults"],
		"description": "Groups that are left alone.",
	},
	"exempt_devices": {"type": "devices", "default": [], "description": "Devices that are left alone."},
}

concerned if {
	included
	not exempt
}

included if count(data.params.groups) == 0

included if {
	some group in data.params.groups
	group in input.device.groups
}

exempt if {
	some group in data.params.exempt_groups
	group in input.device.groups
}

exempt if input.device.ip in data.params.exempt_devices

exempt if input.device.mac in data.params.exempt_devices
