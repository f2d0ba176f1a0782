#!/bin/sh
# Usage: findings/nft-two-list-sets.sh     (Debian or a derivative; no root needed where user
#                                           namespaces are allowed)
# nftables 1.0.6-2+deb12u2: one call that lists two sets of one table, both of which exist, fails
# with "No such file or directory", while each alone is listed, and so is a table beside a set.
# A program that asks for several sets in one transaction, to have them of one moment, gets
# nothing; it has to list the table, or to ask in calls of their own.
# Seen: alone 0, table and set 0, two sets 1 "Error: No such file or directory".
set -eu
version='1.0.6-2+deb12u2'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "nftables=$version" "libnftables1=$version" >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$work/root" -name 'libnftables.so.1' | head -n 1)")
nft="$work/root/usr/sbin/nft"
export LD_LIBRARY_PATH nft

# shellcheck disable=SC2016  # expanded inside
unshare --map-root-user --net sh -eu -c '
  "$nft" add table inet t
  "$nft" add set inet t a "{ type ipv4_addr; }"
  "$nft" add set inet t b "{ type ipv4_addr; }"
  say() { printf "%s: " "$1"; shift; if "$@" >out 2>err; then echo 0; else echo "1 $(grep -o "Error: .*" err | head -n 1)"; fi; }
  say "one set" "$nft" "list set inet t a"
  say "a table and a set" "$nft" "list table inet t; list set inet t b"
  say "two sets" "$nft" "list set inet t a; list set inet t b"
' | tee seen

cat >expected <<'SEEN'
one set: 0
a table and a set: 0
two sets: 1 Error: No such file or directory
SEEN
if diff expected seen; then echo "as stated, $version"; else echo "it has changed" >&2; exit 1; fi
