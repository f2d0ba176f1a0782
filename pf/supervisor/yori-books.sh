#!/bin/sh
# What the supervisor writes down for others: how things stand now, and the periods in which
# steering was wished for and could not be. A library of the supervisor's, with its variables.
# shellcheck disable=SC2154

# A period without steering that was wished for: written when it begins, and when it ends.
note_period() {
  [ -z "$loading" ] || return 0
  case $wish.$holds in
  on.both | on.inet | on.inet6 | off.*)
    [ -n "$off_since" ] || return 0
    add_period "$off_since" "$t" "$off_cause"
    off_since='' off_cause=''
    ;;
  *)
    [ -z "$off_since" ] || return 0
    off_since=$t off_cause=${why:-unknown}
    add_period "$off_since" - "$off_cause"
    ;;
  esac
}

# The last one goes on if this supervisor's predecessor did not see its end.
last_period() {
  tail -n 1 "$dir/off-periods" 2>/dev/null | {
    read -r _ from to cause _ && [ "$to" = - ] && printf '%s %s' "$from" "$cause"
  }
}

# One line a fact: NUMBER FROM TO CAUSE STATE, times in seconds since 1970, TO `-` while it lasts.
add_period() {
  last=$(tail -n 1 "$dir/off-periods" 2>/dev/null | cut -d ' ' -f 1)
  case $last in '' | *[!0-9]*) last=0 ;; esac
  {
    tail -n "$OFF_PERIODS_KEPT" "$dir/off-periods" 2>/dev/null
    printf '%s %s %s %s %s\n' "$((last + 1))" "$1" "$2" "$3" "$plan_on_failure"
  } >"$dir/off-periods.tmp" && mv "$dir/off-periods.tmp" "$dir/off-periods"
}

write_status() {
  facts="$wish $holds $node ${why:-} $told"
  [ "$facts" = "$facts_written" ] && return
  facts_written=$facts
  {
    printf 'wish=%s\nholds=%s\nsince=%s\nbackend=%s\n' "$wish" "$holds" "$t" "$plan_backend"
    printf 'node=%s\nwhy=%s\ntold=%s\n' "$node" "${why:-}" "$told"
  } >"$dir/status.tmp" && mv "$dir/status.tmp" "$dir/status"
}
