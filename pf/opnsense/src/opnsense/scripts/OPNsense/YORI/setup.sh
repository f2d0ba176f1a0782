#!/bin/sh
# What rc.subr runs before a start: the authority from OPNsense's own store, and the resolver.
# A YORI that has a root keeps it, whatever the page says: devices trust that one.
scripts=${YORI_SCRIPTS:-/usr/local/opnsense/scripts/OPNsense/YORI}
conf=${YORI_RC_CONF:-/etc/rc.conf.d/yori}
state=${YORI_STATE:-/var/db/yori}
yori_ca='' yori_dns=none
# shellcheck source=/dev/null
[ -r "$conf" ] && . "$conf"

# The folder is the user's alone, and the template's file takes its group and mode.
[ -d /usr/local/etc/yori ] && chown root:yori /usr/local/etc/yori && chmod 0750 /usr/local/etc/yori

if [ -n "$yori_ca" ] && [ ! -e "$state/ca/root.crt" ]; then
  "$scripts/trust.php" import "$yori_ca"
fi
"$scripts/dns.sh" "${yori_dns:-none}"
