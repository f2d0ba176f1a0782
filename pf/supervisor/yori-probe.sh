#!/bin/sh
# Asks the way of clients as one of them: from a network namespace, through an interface that is
# steered like the operator's own, to an address that no machine has, in the name of an LLM host.
# YORI itself answers; nobody else is asked. The namespace is that of a process which ends with the
# supervisor, and the kernel takes the interface away with it. While a family is not led, its way
# is asked through a table beside, of the same rules for that one interface. A library of the
# supervisor's, with its variables. Linux alone.
# shellcheck disable=SC2034,SC2154

PROBE_INTERFACE=yori-probe
PROBE_DEVICE=yori-device
# Seconds between two questions while a family goes direct.
PROBE_OFF_EVERY=10
# Longer than any machine runs.
PROBE_SLEEP=2147483647

# What is asked in this plan: families, as inet and inet6; none: it is not to be, or cannot be.
probe_families() {
  [ "${plan_probe_every:-0}" -gt 0 ] || return 0
  case $plan_backend in nft-*) ;; *) return 0 ;; esac
  [ -z "$plan_probe_inet" ] || printf 'inet '
  [ -z "$plan_probe_inet6" ] || printf 'inet6'
}

# Those of them that are led, or would be if the probe came through: another cause is known better.
probe_asked_families() {
  for probe_one in $(probe_families); do
    case $probe_one in inet) probe_way=$way_inet ;; *) probe_way=$way_inet6 ;; esac
    if [ -z "$probe_way" ] || probe_found "$probe_way"; then printf '%s ' "$probe_one"; fi
  done
}

# Starts the process whose namespace it is. The supervisor itself must: it ends with its parent.
probe_hold() {
  if setpriv --pdeathsig KILL true 2>/dev/null; then
    setpriv --pdeathsig KILL unshare -n sleep "$PROBE_SLEEP" </dev/null >/dev/null 2>&1 &
  else
    unshare -n sleep "$PROBE_SLEEP" </dev/null >/dev/null 2>&1 &
  fi
  prober=$!
  printf '%s %s\n' "$prober" "$(birth_of "$prober")" >"$dir/probe.holder"
  probe_wired=''
}

# Of a predecessor, too, that could not take its own along.
probe_release() {
  { [ -s "$dir/probe.holder" ] && read -r probe_pid probe_birth <"$dir/probe.holder"; } || return 0
  case $probe_pid in *[!0-9]*) ;; *)
    if [ "$(birth_of "$probe_pid")" = "$probe_birth" ]; then
      kill -KILL "$probe_pid" 2>/dev/null
      wait "$probe_pid" 2>/dev/null
    fi
    ;;
  esac
  rm -f "$dir/probe.holder"
  prober=''
}

# Is its process in a namespace of its own by now?
probe_apart() {
  probe_tries=0
  until [ "$(readlink "/proc/$prober/ns/net" 2>/dev/null)" != "$(readlink "/proc/self/ns/net")" ]; do
    probe_tries=$((probe_tries + 1))
    [ "$probe_tries" -gt 100 ] && return 1
    sleep 0.02
  done
  # It has ended: it may not be made.
  kill -0 "$prober" 2>/dev/null && [ -n "$(readlink "/proc/$prober/ns/net" 2>/dev/null)" ]
}

probe_inside() { steer_run nsenter -t "$prober" -n "$@"; }

# The pair of interfaces, and the addresses of each family.
probe_wire() {
  probe_apart || return 1
  ip link del "$PROBE_INTERFACE" 2>/dev/null
  steer_run ip link add "$PROBE_INTERFACE" type veth peer name "$PROBE_DEVICE" netns "$prober" || return 1
  steer_run ip link set "$PROBE_INTERFACE" up && probe_inside ip link set "$PROBE_DEVICE" up || return 1
  # A machine may lack a family.
  for probe_family in $1; do
    case $probe_family in
    inet) probe_address 4 '' $plan_probe_inet ;;
    inet6) probe_address 6 nodad $plan_probe_inet6 ;;
    esac
  done
  return 0
}

# $1: 4 or 6; $2: nodad or nothing; then router, device, dialled, length.
probe_address() {
  # shellcheck disable=SC2086
  steer_run ip "-$1" address add "$3/$6" dev "$PROBE_INTERFACE" $2 &&
    probe_inside ip "-$1" address add "$4/$6" dev "$PROBE_DEVICE" $2 &&
    probe_inside ip "-$1" route add "$5" via "$3" dev "$PROBE_DEVICE"
}

# Has our end what was given to it? A network manager may take that away.
probe_stands() {
  probe_has=$(ip -o address show dev "$PROBE_INTERFACE" up 2>/dev/null) || return 1
  for probe_family in $1; do
    case $probe_family in
    inet) probe_end=${plan_probe_inet%% *} ;;
    *)
      # A machine may lack it.
      probe_off=$(cat "/proc/sys/net/ipv6/conf/$PROBE_INTERFACE/disable_ipv6" 2>/dev/null)
      [ "$probe_off" = 0 ] || continue
      probe_end=${plan_probe_inet6%% *}
      ;;
    esac
    case $probe_has in *" $probe_end/"*) ;; *) return 1 ;; esac
  done
}

# A connection of that family: good, silent (nobody answered), other (somebody else did) or
# unable (the probe itself is not there).
probe_family() {
  case $1 in
  inet) set -- inet $plan_probe_inet ;;
  *) set -- inet6 $plan_probe_inet6 ;;
  esac
  probe_inside ip "$([ "$1" = inet ] && echo -4 || echo -6)" route get "$4" >/dev/null 2>&1 || {
    echo unable
    return
  }
  probe_to=$4:443
  [ "$1" = inet ] || probe_to="[$4]:443"
  probe_as=''
  [ -z "$user" ] || [ "$(id -u)" != 0 ] || probe_as="-S $(id -u "$user") -G $(id -g "$user")"
  # shellcheck disable=SC2086
  probe_answer=$(steer_shake "$probe_to" "$YORI_WAY_SECONDS" \
    nsenter -t "$prober" -n $probe_as 2>"$work/probe.$1.says")
  case $probe_answer in
  'HTTP/1.1 200 '*) echo good ;;
  *)
    # A certificate of somebody else's, or no TLS at all.
    if grep -Eq 'verif|wrong version|packet length|record layer|unknown protocol' "$work/probe.$1.says" 2>/dev/null; then
      echo other
    else
      # Taken away while it was asked: nothing is known of the way.
      if probe_stands "$1"; then echo silent; else echo unable; fi
    fi
    ;;
  esac
}

# Where devices get the certificate, asked as one of them: good, silent or other.
probe_page() {
  probe_answer=$(probe_inside timeout -k 1 "$YORI_WAY_SECONDS" \
    curl -s -g -i --noproxy '*' "$plan_page" 2>/dev/null | head -c 4096 | tr -d '\000')
  case $probe_answer in
  'HTTP/1.1 200 '*YORI*) echo good ;;
  '') echo silent ;;
  *) echo other ;;
  esac
}

# Beside the supervisor's own probes. $1: families; $2: those of them that are not led now.
probe_it() {
  trap - TERM INT HUP USR1
  probe_said='' probe_beside=''
  if [ -z "$probe_wired" ] || ! probe_stands "$1"; then
    probe_wire "$1" 2>"$work/probe.says" || probe_said=unable
  fi
  if [ -n "$2" ] && [ -z "$probe_said" ]; then
    steer_prepare both
    steer_same probe && steer_run nft -f "$dir/rules.probe" && probe_beside=yes
  fi
  true >"$work/probe.page.tmp"
  # Its own port, too, is led here by the rules.
  case $holds.$plan_page.$probe_said in
  both.?*. | inet.?*. | inet6.?*.) echo "page $(probe_page)" >"$work/probe.page.tmp" & ;;
  esac
  for probe_one in $1; do
    if [ -n "$probe_said" ]; then echo "$probe_one $probe_said"; else
      echo "$probe_one $(probe_family "$probe_one")"
    fi >"$work/probe.$probe_one.tmp" &
  done
  wait
  [ -z "$probe_beside" ] || steer_run nft 'table inet yori_probe; delete table inet yori_probe'
  for probe_one in $1 page; do cat "$work/probe.$probe_one.tmp"; done >"$work/probe.done.tmp"
  mv "$work/probe.done.tmp" "$work/probe.done"
}

# Causes that a probe found, and a probe takes back.
probe_found() {
  case $1 in asking | not-let-in | not-ours | table-full) return 0 ;; esac
  return 1
}

# Why nobody answers: is there room for one connection more?
probe_cause() {
  [ "$1" = other ] && {
    echo not-ours
    return
  }
  # Such a file gives a shell that reads byte by byte its first byte alone.
  probe_most=$(cat /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null)
  probe_now=$(cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null)
  if [ "${probe_most:-0}" -gt 0 ] && [ "${probe_now:-0}" -ge "${probe_most:-0}" ]; then
    echo table-full
  else
    echo not-let-in
  fi
}

# Before anybody is led, its way is asked once.
probe_first() {
  way_inet='' way_inet6=''
  for probe_one in $(probe_families); do
    case $probe_one in inet) way_inet=asking ;; *) way_inet6=asking ;; esac
  done
  forget_probes
}

forget_probes() {
  probe_due=0 probe_misses_inet=0 probe_misses_inet6=0 probe_says_inet='' probe_says_inet6=''
  clients_marked='' page_says='' page_misses=0
}

# Clients' own connections, as the rules count them: is somebody led and not answered? Then the
# probe is asked at once. $1: the counts of what is loaded.
watch_clients() {
  # shellcheck disable=SC2086
  set -- $1
  [ $# = 4 ] || return 0
  now_inet="$1 $2" now_inet6="$3 $4"
  [ -n "$clients_marked" ] || {
    clients_marked=yes mark_inet=$now_inet mark_inet6=$now_inet6
    return
  }
  unanswered $now_inet $mark_inet || mark_inet=$now_inet
  unanswered $now_inet6 $mark_inet6 || mark_inet6=$now_inet6
  if unanswered $now_inet $mark_inet 2 || unanswered $now_inet6 $mark_inet6 2; then
    [ "$t" -lt "$((probe_asked + 5))" ] || probe_due=0 mark_inet=$now_inet mark_inet6=$now_inet6
  fi
}

# ASKED ANSWERED now, and at the mark: more than $5 of them have had no answer.
unanswered() { [ "$(($1 - $3 - $2 + $4))" -gt "${5:-0}" ]; }

# Since the first miss of it, were all clients answered, and was there any?
clients_answered() {
  # shellcheck disable=SC2086
  case $1 in
  inet) set -- $now_inet $missed_inet ;;
  *) set -- $now_inet6 $missed_inet6 ;;
  esac
  [ $# = 4 ] && [ "$1" -gt "$3" ] && [ "$(($2 - $4))" -ge "$(($1 - $3))" ]
}

# What came of it. $1: inet or inet6; $2: good, silent, other or unable.
probe_told() {
  case $1 in
  inet) misses=$probe_misses_inet way=$way_inet ;;
  *) misses=$probe_misses_inet6 way=$way_inet6 ;;
  esac
  says=$2
  case $2 in
  good)
    misses=0
    ! probe_found "$way" || way=''
    ;;
  unable)
    # Nothing is known of the way: as before there was a probe.
    misses=0
    ! probe_found "$way" || way=''
    probe_wired=''
    ;;
  *)
    misses=$((misses + 1))
    if [ "$misses" = 1 ]; then
      case $1 in inet) missed_inet=$now_inet ;; *) missed_inet6=$now_inet6 ;; esac
      missed_since=$t
    fi
    if [ "$way" = asking ] || { probe_found "$way" && [ -n "$way" ]; }; then
      way=$(probe_cause "$2")
    elif [ "$misses" -lt "$YORI_PROBE_MISSES" ]; then
      probe_soon=yes says=missed
    elif [ -z "$way" ]; then
      if clients_answered "$1"; then says=unsure misses=0; else
        way=$(probe_cause "$2")
        say "clients' way does not lead here ($1): $way"
        probe_lost=$way
      fi
    fi
    ;;
  esac
  case $1 in
  inet) probe_misses_inet=$misses way_inet=$way probe_says_inet=$says ;;
  *) probe_misses_inet6=$misses way_inet6=$way probe_says_inet6=$says ;;
  esac
}

# Once may be a busy moment: bad is said at the third.
page_told() {
  if [ "$1" = good ]; then
    page_misses=0 page_says=good
    return
  fi
  page_misses=$((page_misses + 1))
  if [ "$page_misses" -ge "$YORI_PROBE_MISSES" ]; then page_says=$1; else probe_soon=yes; fi
}

# Once a while, at once when clients go without an answer, and each second while it is missed.
watch_probe() {
  if [ -n "$probing" ]; then
    [ -e "$work/probe.done" ] || kill -0 "$probing" 2>/dev/null || : >"$work/probe.done"
    [ -e "$work/probe.done" ] || return 0
    probe_ended
  fi
  [ "$wish" = on ] && [ -n "$up_inet$up_inet6" ] && [ -n "$tls_ok" ] || return 0
  [ "$t" -ge "$probe_due" ] || return 0
  [ -z "$way_inet" ] || probe_found "$way_inet" || probe_says_inet=''
  [ -z "$way_inet6" ] || probe_found "$way_inet6" || probe_says_inet6=''
  families=$(probe_asked_families)
  [ -n "$families" ] || return 0
  { [ -n "$prober" ] && kill -0 "$prober" 2>/dev/null; } || {
    probe_release
    probe_hold
  }
  beside=''
  probe_found "$way_inet" && beside=inet
  probe_found "$way_inet6" && beside="$beside inet6"
  rm -f "$work/probe.done"
  probe_asked=$t
  probe_it "$families" "$beside" &
  probing=$!
  # Nobody is led before the answer is there.
  case $way_inet.$way_inet6 in
  *asking*)
    wait_for "$probing"
    [ -n "$fallen$stopping" ] || probe_ended
    ;;
  esac
}

probe_ended() {
  wait "$probing" 2>/dev/null
  probing='' probe_soon='' probe_lost='' probe_wired=yes
  while read -r one told_of; do
    if [ "$one" = page ]; then
      page_told "$told_of"
      continue
    fi
    # A listener that hangs is known by its own misses, and sooner.
    case $one in inet) probe_up=$up_inet ;; *) probe_up=$up_inet6 ;; esac
    [ -z "$probe_up" ] || probe_told "$one" "$told_of"
  done <"$work/probe.done"
  # Until now they were led to nobody.
  [ -z "$probe_lost" ] || whole_period "$missed_since" "$t" "$probe_lost" lost
  probe_next=${YORI_WAY_EVERY:-$plan_probe_every}
  # Who goes direct is not to do so for longer than need be.
  if probe_found "$way_inet" || probe_found "$way_inet6"; then
    [ "$probe_next" -le "$PROBE_OFF_EVERY" ] || probe_next=$PROBE_OFF_EVERY
  fi
  probe_due=$((t + probe_next))
  [ -z "$probe_soon" ] || probe_due=0
}
