#!/bin/sh
# A command of yori as the user that owns its files; -n keeps it from becoming another.
exec /usr/sbin/chroot -n -u yori -g yori / /usr/local/bin/yori "$@"
