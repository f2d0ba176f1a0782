#!/bin/sh
# Whether YORI takes the file that the template wrote, as JSON. What it took last is kept beside it,
# and comes back when the new one is refused: a machine that starts then starts with that.
conf=${1:-/usr/local/etc/yori/yori.conf}
yori=${YORI_COMMAND:-/usr/local/bin/yori}

if said=$("$yori" config check --json --config "$conf"); then
  cp -p "$conf" "$conf.good.new" && mv "$conf.good.new" "$conf.good"
elif [ -f "$conf.good" ]; then
  cp -p "$conf" "$conf.refused.new" && mv "$conf.refused.new" "$conf.refused"
  cp -p "$conf.good" "$conf.new" && mv "$conf.new" "$conf"
fi
printf '%s\n' "$said"
