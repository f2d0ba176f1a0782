#!/bin/sh
# Loads and takes away what `yori pf apply` has written, and asks whether YORI answers: the one
# place where a packet filter is touched. The supervisor reads this file as a library; `yori pf`
# calls it: yori-steer.sh DIRECTORY TABLE on FAMILIES|off|closed|forget|refresh|probe FAMILY
#
# DIRECTORY is root's own. TABLE is written by YORI, unprivileged: each of its lines is judged
# here again, since root must not load what another user could choose freely.
# Programs: nft and ip, or pfctl and ifconfig; curl, or fetch on FreeBSD; openssl; awk; timeout.

STEER_MAX_TABLE_BYTES=1048576
: "${YORI_PROBE_SECONDS:=1}"
# Reading the table, which a busy router is slow at; what is killed at it is cut.
STEER_READ_SECONDS=10
: "${YORI_LOAD_SECONDS:=5}"
# What a slow router's nft was seen to need, and as much again.
STEER_LINES_A_SECOND=500
STEER_MARK=0x796f
STEER_ROUTES=796
# Sets that nobody fills but the plan.
STEER_FIXED='lan_if yori_blocked yori_blocked6 yori_blocked_mac exempt4 exempt6 exempt_mac
  direct4 direct6 direct_if'

# A packet filter that hangs must not hang the supervisor; one with much to read gets longer.
steer_run() { timeout -s KILL "$((YORI_LOAD_SECONDS + ${steer_lines:-0} / STEER_LINES_A_SECOND))" "$@"; }

# Lines of the table, as far as it is read.
steer_count() {
  steer_lines=0
  { [ -f "$steer_table" ] && [ ! -L "$steer_table" ]; } || return 0
  steer_lines=$(timeout "$STEER_READ_SECONDS" head -c "$STEER_MAX_TABLE_BYTES" "$steer_table" | wc -l)
}

steer_say() { printf '%s\n' "yori-steer: $*" >&2; }

# Reads DIRECTORY/plan. Fails unless every key that is needed is there and plain.
steer_read_plan() {
  steer_dir=$1 steer_table=$2
  plan_backend='' plan_inet='' plan_inet6='' plan_sni='' plan_root='' plan_path=''
  plan_probe_every=0 plan_probe_inet='' plan_probe_inet6='' plan_id='' plan_page=''
  plan_on_failure=open plan_llm=yori_llm plan_address6='' plan_exempt='' plan_blocked='' plan_clients='' plan_interfaces=''
  [ -f "$steer_dir/plan" ] || return 1
  while IFS='=' read -r steer_key steer_value; do
    case $steer_value in *[!A-Za-z0-9_.:/@%+,\[\]\ -]*)
      steer_say "plan: $steer_key has characters that cannot be"
      return 1
      ;;
    esac
    # Some are for other files.
    # shellcheck disable=SC2034
    case $steer_key in
    backend) plan_backend=$steer_value ;;
    inet) plan_inet=$steer_value ;;
    inet6) plan_inet6=$steer_value ;;
    sni) plan_sni=$steer_value ;;
    root) plan_root=$steer_value ;;
    probe_path) plan_path=$steer_value ;;
    on_failure) plan_on_failure=$steer_value ;;
    llm_table) plan_llm=$steer_value ;;
    exempt_table) plan_exempt=$steer_value ;;
    blocked_table) plan_blocked=$steer_value ;;
    clients_table) plan_clients=$steer_value ;;
    interfaces) plan_interfaces=$steer_value ;;
    address6) plan_address6=$steer_value ;;
    probe_every) plan_probe_every=$steer_value ;;
    probe_inet) plan_probe_inet=$steer_value ;;
    probe_inet6) plan_probe_inet6=$steer_value ;;
    page) plan_page=$steer_value ;;
    id) plan_id=$steer_value ;;
    esac
  done <"$steer_dir/plan"
  case $plan_probe_every in '' | *[!0-9]* | ??????*) plan_probe_every=0 ;; esac
  case $plan_backend in
  nft-tproxy | nft-redirect | pf) ;;
  *)
    steer_say "plan: no backend"
    return 1
    ;;
  esac
  [ -n "$plan_inet$plan_inet6" ]
}

# The table's lines that may be steered, of one family (4 or 6). Bounded; a name that is no
# plain file gives nothing.
steer_addresses() {
  { [ -f "$steer_table" ] && [ ! -L "$steer_table" ]; } || return 0
  timeout "$STEER_READ_SECONDS" head -c "$STEER_MAX_TABLE_BYTES" "$steer_table" |
    LC_ALL=C awk -v family="$1" -v most="$STEER_MAX_TABLE_BYTES" '
      function four(text,   part, n, i) {
        n = split(text, part, ".")
        if (n != 4) return 0
        for (i = 1; i <= 4; i++)
          if (part[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || part[i] + 0 > 255) return 0
        a = part[1] + 0; b = part[2] + 0; c = part[3] + 0
        if (a == 0 || a == 10 || a == 127 || a >= 224) return 0
        if (a == 100 && b >= 64 && b <= 127) return 0
        if (a == 169 && b == 254) return 0
        if (a == 172 && b >= 16 && b <= 31) return 0
        if (a == 192 && (b == 168 || (b == 0 && c == 0))) return 0
        if (a == 198 && (b == 18 || b == 19)) return 0
        return 1
      }
      # Global unicast, RFC 4291 section 2.4; not 2002::/16, which leads into IPv4.
      function six(text,   part, n, i, short) {
        if (text !~ /^[23][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f:]*$/ || length(text) > 39) return 0
        if (text ~ /:::/ || text ~ /^2002:/ || text ~ /::.*::/) return 0
        short = text ~ /::/
        if (!short && text ~ /:$/) return 0
        n = split(text, part, ":")
        if (short ? n > 8 : n != 8) return 0
        for (i = 1; i <= n; i++) if (length(part[i]) > 4) return 0
        return 1
      }
      # The line that the limit cuts could be another address.
      (bytes += length($0) + 1) > most { exit }
      {
        n = split($0, half, "/")
        if (n > 2 || (n == 2 && half[2] !~ /^[0-9][0-9]?[0-9]?$/)) next
        if (family == 4) {
          if (!four(half[1]) || (n == 2 && (half[2] + 0 < 12 || half[2] + 0 > 32))) next
        } else if (!six(half[1]) || (n == 2 && (half[2] + 0 < 28 || half[2] + 0 > 128))) next
        print
      }'
}

# Lines for nft that put those addresses in the place of what the sets hold.
steer_elements() {
  for steer_family in 4 6; do
    steer_addresses "$steer_family" | awk -v name="llm$steer_family" '
      NR == 1 { printf "flush set inet yori %s\nadd element inet yori %s { %s", name, name, $0; next }
      { printf ", %s", $0 }
      END { if (NR > 0) print " }" }'
  done
}

# Lines for nft that make a set out of what it holds, $2 as nft lists it, into what the table
# says: whatever was changed meanwhile, and by whom. Anew where that is less.
steer_difference() {
  steer_addresses "$1" | awk -v name="llm$1" -v held="$2" '
    function list(verb, set,   element, text) {
      for (element in set) text = text (text == "" ? "" : ", ") element
      if (text != "") print verb " element inet yori " name " { " text " }"
    }
    BEGIN {
      while ((getline line < held) > 0) {
        if (!sub(/.*elements = \{/, "", line) && !inside) continue
        inside = line !~ /\}/
        sub(/\}.*/, "", line)
        n = split(line, part, ",")
        for (i = 1; i <= n; i++) {
          split(part[i], word, " ")
          if (word[1] != "") gone[word[1]] = 1
        }
      }
    }
    { all[$0] = 1; wanted++ }
    $0 in gone { delete gone[$0]; same++; next }
    { fresh[$0] = 1 }
    END {
      for (element in gone) others = 1
      if (others && 2 * same <= wanted) {
        print "flush set inet yori " name
        list("add", all)
      } else { list("delete", gone); list("add", fresh) }
    }'
}

# Were these rules written with this plan? An apply that was killed may have left others.
steer_same() {
  [ -n "$plan_id" ] || return 0
  read -r steer_first <"$steer_dir/rules.$1" && [ "$steer_first" = "# plan $plan_id" ] && return 0
  steer_say "the rules of $1 are another apply's: yori pf apply"
  return 1
}

# Everything of one state in one transaction. $1 is on.both, on.inet, on.inet6 or closed.
steer_load() {
  steer_same "$1" || return 1
  steer_count
  case $plan_backend in
  pf)
    steer_fill "$plan_exempt" exempt && steer_fill "$plan_blocked" blocked &&
      steer_fill "$plan_clients" clients &&
      steer_pf_table && steer_run pfctl -q -a yori -f "$steer_dir/rules.$1"
    ;;
  *)
    { cat "$steer_dir/rules.$1" && steer_elements; } >"${steer_work:=$steer_dir}/load.$1" &&
      steer_run nft -f "$steer_work/load.$1" && steer_sum >"$steer_work/loaded.sum" &&
      steer_fixed >"$steer_work/loaded.fixed"
    ;;
  esac
}

# What is loaded, without what it holds and has counted. Fails when it is gone.
steer_sum() {
  steer_listed=$(steer_run nft -t list table inet yori 2>/dev/null) || return 1
  printf '%s' "$steer_listed" | grep -v '^[[:space:]]*packets [0-9]' | cksum
}

# What those sets hold. Elements have no order; one list at a time, since nft 1.0.6 finds no more.
steer_fixed() {
  for steer_set in $STEER_FIXED; do
    steer_run nft list set inet yori "$steer_set" 2>/dev/null
  done | awk '{ gsub(/[ \t,]+/, "\n"); print }' | sort | cksum
}

# Of what was listed last: led connections of the operator's own interfaces and those that had an
# answer, as ASKED4 ANSWERED4 ASKED6 ANSWERED6.
steer_counts() {
  printf '%s\n' "$steer_listed" | awk '
    /^[[:space:]]*counter (asked|answered)[46]\./ {
      of = $2 ~ /\.yori-(probe|doctor)$/ ? "" : $2
      sub(/\..*/, "", of)
      next
    }
    /^[[:space:]]*packets [0-9]/ { if (of != "") n[of] += $2; of = "" }
    END { printf "%d %d %d %d", n["asked4"], n["answered4"], n["asked6"], n["answered6"] }'
}

# A table of pf with the devices of a file; none when the admin fills it.
steer_fill() {
  [ -z "$1" ] || steer_run pfctl -q -t "$1" -T replace -f "$steer_dir/$2"
}

# pf itself finds the difference.
steer_pf_table() {
  { steer_addresses 4 && steer_addresses 6; } >"$steer_dir/llm.tmp" || return 1
  [ ! -s "$steer_dir/llm.tmp" ] || steer_fill "$plan_llm" llm.tmp
}

# $1: both, inet or inet6.
steer_on() {
  steer_prepare "$1" && steer_load "on.$1" && steer_tidy
}

# One rule, however often this is asked; a route to lo needs no IPv6 elsewhere.
steer_route() {
  ip "-$1" rule show 2>/dev/null | grep -q "fwmark $STEER_MARK lookup $STEER_ROUTES" ||
    ip "-$1" rule add fwmark $STEER_MARK lookup $STEER_ROUTES || return 1
  ip "-$1" route replace local default dev lo table $STEER_ROUTES
}

# What must be there before both, inet or inet6 is loaded. A machine may lack IPv6; and a family
# that is not led need not have its way.
steer_prepare() {
  case $plan_backend in
  nft-tproxy)
    steer_route 6
    steer_route 4 || [ "$1" = inet6 ] || return 1
    ;;
  pf)
    [ -z "$plan_address6" ] && return
    ifconfig lo0 | grep -q "inet6 $plan_address6 " ||
      ifconfig lo0 inet6 "$plan_address6" prefixlen 128 alias || return 1
    ;;
  esac
}

# What an earlier plan needed and this one does not.
steer_tidy() {
  case $plan_backend in
  nft-redirect) steer_unroute ;;
  pf)
    steer_former=$(cat "$steer_dir/address6" 2>/dev/null)
    [ -z "$steer_former" ] || [ "$steer_former" = "$plan_address6" ] ||
      ifconfig lo0 inet6 "$steer_former" -alias 2>/dev/null
    printf '%s\n' "$plan_address6" >"$steer_dir/address6"
    ;;
  esac
  return 0
}

steer_unroute() {
  command -v ip >/dev/null 2>&1 || return 0
  for steer_family in 4 6; do
    while ip -$steer_family rule del fwmark $STEER_MARK lookup $STEER_ROUTES 2>/dev/null; do :; done
    ip -$steer_family route flush table $STEER_ROUTES 2>/dev/null
  done
}

# Also before rules that were added meanwhile.
steer_prepare_anew() {
  steer_unroute
  steer_prepare both
}

steer_off() {
  case $plan_backend in
  pf) steer_run pfctl -q -a yori -f /dev/null ;;
  *) steer_run nft -f "$steer_dir/rules.off" ;;
  esac
}

steer_closed() { steer_load closed; }

# What is to hold while YORI does not answer.
steer_failed() {
  if [ "$plan_on_failure" = closed_llm ]; then steer_closed; else steer_off; fi
}

# Off, and nothing of ours is left.
steer_forget() {
  steer_off || return 1
  case $plan_backend in
  nft-*) steer_unroute ;;
  pf)
    for steer_address in $plan_address6 $(cat "$steer_dir/address6" 2>/dev/null); do
      ifconfig lo0 inet6 "$steer_address" -alias 2>/dev/null
    done
    rm -f "$steer_dir/address6"
    ;;
  esac
  return 0
}

# Says that somebody is still here, and makes the packet filter hold what the table says. Fails
# when what was loaded is gone; with 3 when somebody else has filled its fixed sets.
steer_refresh() {
  steer_count
  case $plan_backend in
  pf) steer_pf_table ;;
  *)
    [ "$plan_on_failure" = closed_llm ] ||
      steer_run nft 'flush set inet yori alive; add element inet yori alive { tcp, udp }' || return 1
    if [ -s "${steer_work:=$steer_dir}/loaded.fixed" ]; then
      [ "$(steer_fixed)" = "$(cat "$steer_work/loaded.fixed")" ] || return 3
    fi
    [ -f "$steer_table" ] || return 0
    : "${steer_work:=$steer_dir}"
    true >"$steer_work/refresh.tmp" || return 0
    for steer_family in 4 6; do
      steer_run nft list set inet yori "llm$steer_family" >"$steer_work/held.tmp" || return 1
      steer_difference "$steer_family" "$steer_work/held.tmp" >>"$steer_work/refresh.tmp"
    done
    [ ! -s "$steer_work/refresh.tmp" ] || steer_run nft -f "$steer_work/refresh.tmp"
    ;;
  esac
}

steer_endpoint() {
  case $1 in
  inet) printf '%s' "$plan_inet" ;;
  inet6) printf '%s' "$plan_inet6" ;;
  esac
}

# Does YORI, and nothing else, answer on the listener of that family? A second at most.
steer_probe() {
  steer_at=$(steer_endpoint "$1")
  [ -n "$steer_at" ] || return 1
  if command -v fetch >/dev/null 2>&1; then
    steer_answer=$(timeout -s KILL "$YORI_PROBE_SECONDS" fetch -q -o - "http://$steer_at/health" 2>/dev/null)
  else
    steer_answer=$(timeout -s KILL "$YORI_PROBE_SECONDS" curl -s -g --noproxy '*' "http://$steer_at/health" 2>/dev/null)
  fi
  case $steer_answer in *'"status":"healthy"'*) return 0 ;; esac
  return 1
}

# A TLS handshake as clients make it, answered by YORI itself and verified against its root. $1:
# where to; $2: seconds; then what runs it. On stdout what came, on stderr what openssl says.
steer_shake() {
  steer_at=$1 steer_in=$2
  shift 2
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$plan_path" "$plan_sni" |
    timeout -k 1 "$steer_in" "$@" openssl s_client -quiet -connect "$steer_at" \
      -servername "$plan_sni" -verify_hostname "$plan_sni" -verify_return_error \
      -CAfile "$plan_root" -no-CApath
}

steer_probe_tls() {
  [ -n "$plan_sni" ] || return 0
  steer_at=$(steer_endpoint "$1")
  [ -n "$steer_at" ] || return 1
  steer_answer=$(steer_shake "$steer_at" "$YORI_PROBE_SECONDS" 2>/dev/null)
  case $steer_answer in 'HTTP/1.1 200 '*) return 0 ;; esac
  return 1
}

# The programs of this backend that are missing, one a line.
steer_missing() {
  case $plan_backend in
  pf) set -- pfctl ifconfig ;;
  nft-tproxy) set -- nft ip ;;
  *) set -- nft ;;
  esac
  for steer_program in "$@" openssl awk timeout; do
    command -v "$steer_program" >/dev/null 2>&1 || printf '%s\n' "$steer_program"
  done
  command -v fetch >/dev/null 2>&1 || command -v curl >/dev/null 2>&1 || printf '%s\n' curl
}

case ${0##*/} in
yori-steer.sh)
  [ $# -ge 3 ] || {
    steer_say 'usage: yori-steer.sh DIRECTORY TABLE on FAMILIES|off|closed|forget|refresh|probe FAMILY'
    exit 2
  }
  steer_read_plan "$1" "$2" || exit 3
  case $3 in
  on | probe) [ $# -eq 4 ] || exit 2 ;;
  esac
  case $3 in
  on) steer_on "$4" ;;
  off) steer_off ;;
  closed) steer_closed ;;
  forget) steer_forget ;;
  refresh) steer_refresh ;;
  probe) steer_probe "$4" && steer_probe_tls "$4" ;;
  missing) steer_missing ;;
  *) exit 2 ;;
  esac
  ;;
esac
