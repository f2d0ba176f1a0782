#!/bin/sh
# The way of clients, looked at each second: is what was loaded still there, and do led packets
# still find this machine? Other programs empty the packet filter (systemctl reload nftables) and
# remove rules of routing that are not theirs (systemd-networkd). A library of the supervisor's,
# with its variables. Linux alone: pf has no such look yet.
# shellcheck disable=SC2034,SC2154

# An address that is led here, of family 4 or 6: the table's first, or else the rules' own.
way_sample() {
  way_found=$(steer_addresses "$1" | head -n 1)
  [ -n "$way_found" ] || way_found=$(awk -v set="set llm$1 {" '
    index($0, set) { inside = 1 }
    inside && sub(/.*elements = \{ /, "") { sub(/[ ,].*/, ""); print; exit }
    inside && /\}/ { exit }' "$dir/rules.on.$2" 2>/dev/null)
  printf '%s' "${way_found%%/*}"
}

# Does the mark lead to this machine? Asks the kernel where such a packet goes.
way_routed() {
  way_to=$(way_sample "$1" "$2")
  [ -n "$way_to" ] || return 0
  case $(ip "-$1" route get "$way_to" mark "$STEER_MARK" 2>/dev/null) in
  'local '*"table $STEER_ROUTES"*) return 0 ;;
  esac
  return 1
}

# What is wrong with what was loaded: `flushed` or `changed`; nothing when it stands.
way_loaded() {
  way_wrong=''
  steer_sum >"$work/now.sum" || {
    way_wrong=flushed
    return
  }
  [ "$(cat "$work/now.sum")" = "$(cat "$work/loaded.sum" 2>/dev/null)" ] || way_wrong=changed
}

# Families of what holds whose marked packets do not come here, as 4 and 6.
way_unrouted() {
  [ "$plan_backend" = nft-tproxy ] || return 0
  case $1 in both | inet) way_routed 4 "$1" || echo 4 ;; esac
  case $1 in both | inet6) way_routed 6 "$1" || echo 6 ;; esac
}

# What others took away is put back at once, and the time without it is written down: as a hole
# in the case of routes, since led packets went nowhere.
watch_way() {
  [ -z "$loading" ] || return 0
  case $plan_backend.$holds in *.off | *.stale | pf.*) return 0 ;; esac
  # Its parent takes the rules away as soon as it ends.
  [ -z "$node" ] || kill -0 "$node" 2>/dev/null || return 0
  way_loaded
  wrong=$way_wrong
  if [ -n "$wrong" ]; then
    # It may have ended while this looked: then its own parent took the rules away.
    [ -z "$node" ] || kill -0 "$node" 2>/dev/null || return 0
    say "what was loaded is $wrong by another program: loaded again"
    begin_period "${seen_well:-$t}" "$wrong" open
    # Its rules may be others now, too.
    holds=stale load_again=0 probe_due=0
    return
  fi
  watch_clients "$(steer_counts)"
  [ -n "$(way_unrouted "$holds")" ] && {
    steer_prepare_anew
    still=$(way_unrouted "$holds" | tr -d '\n')
    if [ -z "$still" ]; then
      say 'rules of routing were gone: put back'
      whole_period "${seen_well:-$t}" "$t" no-route lost
    fi
    case $still in *4*) way_inet=no-route ;; esac
    case $still in *6*) way_inet6=no-route ;; esac
  }
  seen_well=$t
}

# Does br_netfilter show packets of a steered bridge to the rules before they have left it? What
# TPROXY takes there is lost; a redirection stays. $1: iptables for IPv4, ip6tables for IPv6.
way_bridged() {
  [ "$plan_backend" = nft-tproxy ] || return 1
  for way_name in $plan_interfaces; do
    way_bridge=/sys/class/net/$way_name/bridge
    [ -d "$way_bridge" ] || continue
    for way_file in "/proc/sys/net/bridge/bridge-nf-call-$1" "$way_bridge/nf_call_$1"; do
      way_set=
      # A shell that reads byte by byte gets no end of line from such a file.
      { read -r way_set <"$way_file"; } 2>/dev/null
      [ "$way_set" = 1 ] && return 0
    done
  done
  return 1
}

# Nobody is led into that, for as long as it is so.
watch_bridges() {
  if way_bridged iptables; then way_inet=${way_inet:-bridged}; else
    [ "$way_inet" != bridged ] || way_inet=''
  fi
  if way_bridged ip6tables; then way_inet6=${way_inet6:-bridged}; else
    [ "$way_inet6" != bridged ] || way_inet6=''
  fi
}

# A way that could not be mended is tried again, while nobody is led on it.
retry_way() {
  [ "$t" -ge "$way_retry" ] || return 0
  way_retry=$((t + YORI_REFRESH_EVERY))
  case $way_inet.$way_inet6 in *no-route*) ;; *) return 0 ;; esac
  steer_prepare_anew
  if [ "$way_inet" = no-route ] && way_routed 4 inet; then way_inet=''; fi
  if [ "$way_inet6" = no-route ] && way_routed 6 inet6; then way_inet6=''; fi
}

# An interface that is no longer what packets of its network come by: it was renamed, or is a port
# of a bridge or bond that is not steered. One that is not there at all has nobody behind it.
watch_links() {
  link_wrong=''
  case $plan_backend in nft-*) ;; *) return 0 ;; esac
  for way_name in $plan_interfaces; do
    way_link=/sys/class/net/$way_name
    if [ -e "$way_link/ifindex" ]; then
      read -r way_index <"$way_link/ifindex"
      case " $links_known " in
      *" $way_name:$way_index "*) ;;
      *) links_known="$links_known $way_name:$way_index" ;;
      esac
      [ -e "$way_link/brport" ] || [ -e "$way_link/bonding_slave" ] || continue
      way_master=$(readlink "$way_link/master")
      case " $plan_interfaces " in *" ${way_master##*/} "*) ;; *) link_wrong=enslaved ;; esac
      continue
    fi
    for way_known in $links_known; do
      case $way_known in "$way_name:"*) ;; *) continue ;; esac
      for way_file in /sys/class/net/*/ifindex; do
        way_index=''
        { read -r way_index <"$way_file"; } 2>/dev/null
        [ "$way_index" != "${way_known#*:}" ] || link_wrong=renamed
      done
    done
  done
}
