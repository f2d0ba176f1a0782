#!/bin/sh
# What the supervisor writes down for others: how things stand now, and the periods in which
# steering was wished for and could not be. A library of the supervisor's, with its variables.
# shellcheck disable=SC2154

# A period without steering that was wished for: written when it begins, and when it ends.
note_period() {
  [ -z "$loading" ] || return 0
  if [ -n "$link_wrong" ] && [ "$wish" = on ]; then
    begin_period "$t" "$link_wrong" open
    return
  fi
  case $wish.$holds.${why:-} in
  on.both.* | on.inet. | on.inet6. | off.*)
    [ -n "$off_since" ] || return 0
    add_period "$off_since" "$t" "$off_cause" "$off_state"
    off_since='' off_cause=''
    ;;
  *) begin_period "$t" "${why:-unknown}" "$plan_on_failure" ;;
  esac
}

# $1: since when; $2: why; $3: what became of LLM traffic: open, closed_llm or lost. One within
# another is none of its own.
begin_period() {
  [ -z "$off_since" ] || return 0
  off_since=$1 off_cause=$2 off_state=$3
  add_period "$off_since" - "$off_cause" "$off_state"
}

# One that is over already. $1 to $4 as in its line.
whole_period() {
  [ -z "$off_since" ] || return 0
  add_period "$1" - "$3" "$4"
  add_period "$1" "$2" "$3" "$4"
}

# The last one goes on if this supervisor's predecessor did not see its end.
last_period() {
  tail -n 1 "$dir/off-periods" 2>/dev/null | {
    read -r _ from to cause state && [ "$to" = - ] && printf '%s %s %s' "$from" "$cause" "$state"
  }
}

# One line a fact: NUMBER FROM TO CAUSE STATE, times in seconds since 1970, TO `-` while it lasts.
add_period() {
  last=$(tail -n 1 "$dir/off-periods" 2>/dev/null | cut -d ' ' -f 1)
  case $last in '' | *[!0-9]*) last=0 ;; esac
  {
    tail -n "$OFF_PERIODS_KEPT" "$dir/off-periods" 2>/dev/null
    printf '%s %s %s %s %s\n' "$((last + 1))" "$1" "$2" "$3" "$4"
  } >"$dir/off-periods.tmp" && mv "$dir/off-periods.tmp" "$dir/off-periods"
}

write_status() {
  facts="$wish $holds $node ${why:-} $told $probe_says_inet $probe_says_inet6 $page_says $link_wrong"
  [ "$facts" = "$facts_written" ] && return
  facts_written=$facts
  {
    printf 'wish=%s\nholds=%s\nsince=%s\nbackend=%s\n' "$wish" "$holds" "$t" "$plan_backend"
    printf 'node=%s\nwhy=%s\ntold=%s\n' "$node" "${why:-}" "$told"
    printf 'probe_inet=%s\nprobe_inet6=%s\n' "$probe_says_inet" "$probe_says_inet6"
    printf 'page=%s\nlink=%s\n' "$page_says" "$link_wrong"
  } >"$dir/status.tmp" && mv "$dir/status.tmp" "$dir/status"
}
