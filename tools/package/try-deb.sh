#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2317
# Usage: tools/package/try-deb.sh ROOT NEW.deb [OLD.deb]
# ROOT: a plain Debian system in a folder, such as `debootstrap --variant=minbase bookworm ROOT`
# makes, with nothing of YORI in it. Installs OLD (where it is given) and NEW over it, runs it as
# its user, removes and purges it, and says at each step what was seen. Root; nothing outside ROOT
# changes. Exit code 0 when all of it held.
set -u
root=${1:?} new=${2:?} old=${3:-}
failed=0
say() { printf '%s\n' "$*"; }
holds() { # what, and a command
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then say "  ok      $what"; else
    say "  FAILED  $what"
    failed=1
  fi
}
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
fails() { ! "$@"; }
authority() { find "$root/var/db/yori/ca" -name 'root.*' -exec sha256sum {} + | sort; }
same() { [ -n "$1" ] && [ "$(authority)" = "$1" ]; }

pid=''
end() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null
  mountpoint -q "$root/proc" && umount "$root/proc"
}
trap end EXIT
mkdir -p "$root/proc" && mount -t proc proc "$root/proc"

add() { # a package, from the archive what it needs
  cp "$1" "$root/tmp/yori.deb" && inside apt-get install -y --no-install-recommends /tmp/yori.deb
}

if [ -n "$old" ]; then
  say "the version before: $old"
  holds 'it installs' add "$old"
  holds 'it makes a CA' inside setpriv --reuid yori --regid yori --clear-groups yori ca init
  printf '# kept\n' >>"$root/etc/yori/yori.conf"
  before=$(authority)
fi

say "this version: $new"
holds 'it installs' add "$new"
holds 'the command is on the path' inside yori --version
holds 'its configuration holds' inside yori config check
holds 'its state is for its own user alone' inside sh -c '[ "$(stat -c %U:%a /var/db/yori)" = yori:700 ]'
holds 'it brings its own Node.js' inside /usr/lib/yori/node --version
if [ -n "$old" ]; then
  holds 'the CA of before is there' same "$before"
  holds 'what was changed in the configuration is kept' grep -q '^# kept' "$root/etc/yori/yori.conf"
fi

chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin YORI_LISTEN=127.0.0.1:18443 YORI_CONTROL_LISTEN=off \
  setpriv --reuid yori --regid yori --clear-groups yori run >"$root/tmp/run.log" 2>&1 &
pid=$!
for _ in $(seq 120); do
  curl -fs http://127.0.0.1:18443/health >/dev/null && break
  sleep 0.5
done
holds 'it runs as its user, and is well' curl -fs http://127.0.0.1:18443/health
kill "$pid" && wait "$pid" 2>/dev/null
pid=''

holds 'it can be removed' inside apt-get remove -y yori
holds 'CA and records are still there' [ -d "$root/var/db/yori/ca" ]
holds 'the command is gone' fails inside sh -c 'command -v yori'
holds 'it can be purged' inside apt-get purge -y yori
holds 'nothing of it is left' fails ls "$root/var/db/yori" "$root/etc/yori" "$root/var/log/yori" "$root/usr/lib/yori"
holds 'nor its user' fails inside getent passwd yori
exit "$failed"
