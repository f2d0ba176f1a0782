#!/bin/sh
# Lines for the resolver of this machine: dns.sh none|unbound|dnsmasq
# HTTPS records of LLM hosts say h2 alone, so that browsers come by TLS with a readable name, and
# yori.home.arpa is the page with the certificate. The resolver is told only when lines changed.
unbound=${YORI_UNBOUND:-/usr/local/etc/unbound.opnsense.d/yori.conf}
dnsmasq=${YORI_DNSMASQ:-/usr/local/etc/dnsmasq.conf.d/yori.conf}
yori=${YORI_COMMAND:-/usr/local/bin/yori}
configctl=${YORI_CONFIGCTL:-/usr/local/sbin/configctl}

# FILE BACKEND ACTION...: what FILE is to hold, or nothing where the backend is another.
put() {
  file=$1 backend=$2
  shift 2
  if [ "$backend" = "$wanted" ]; then
    [ -d "$(dirname "$file")" ] || return 0
    "$yori" pf generate --backend "$backend" --config /usr/local/etc/yori/yori.conf >"$file.new" || {
      rm -f "$file.new"
      return 1
    }
    if cmp -s "$file.new" "$file"; then rm -f "$file.new"; else mv "$file.new" "$file" && "$configctl" "$@"; fi
  elif [ -e "$file" ]; then
    rm -f "$file" && "$configctl" "$@"
  fi
}

wanted=${1:-none}
put "$unbound" unbound unbound restart
put "$dnsmasq" dnsmasq dnsmasq restart
