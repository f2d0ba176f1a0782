#!/bin/sh
# What the supervisor writes down for others: how things stand now, and the periods in which
# steering was wished for and could not be. A library of the supervisor's, with its variables.
# shellcheck disable=SC2034,SC2154

# The clock may be set back: what was due by it is due now, not in an hour.
read_clock() {
  t_before=$t
  t=$(now)
  [ "$t" -lt "$t_before" ] || return 0
  refresh_due=0 tls_due=0 probe_due=0 probe_asked=0 way_retry=0 load_again=0 restart_at=0
  seen_well=$t missed_since=$t started=$t
  [ -z "$hung_since" ] || hung_since=$t
}

# Where what is worked with lies: in memory where that can be, since a disk that is full must not
# end steering. One folder for each DIRECTORY.
work_folder() {
  # systemd gives RUNTIME_DIRECTORY.
  given=${YORI_WORK:-${RUNTIME_DIRECTORY:-}}
  work=${given:-$dir}
  [ -z "$given" ] && [ -d /run ] && [ "$(id -u)" = 0 ] || return 0
  at=/run/yori-steer-$(printf '%s' "$dir" | cksum | cut -d ' ' -f 1)
  [ -d "$at" ] || mkdir -m 755 "$at" 2>/dev/null || return 0
  if own_folder "$at" && [ -w "$at" ]; then work=$at; fi
}

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
# The clock may have been set back meanwhile: none ends before it began.
add_period() {
  until_then=$2
  [ "$2" = - ] || [ "$2" -ge "$1" ] || until_then=$1
  periods_due="$periods_due$1 $until_then $3 $4
"
  write_periods
}

# What a full disk does not take is kept, as far as it is bounded, and written when it does.
write_periods() {
  [ -n "$periods_due" ] || return 0
  last=$(tail -n 1 "$dir/off-periods" 2>/dev/null | cut -d ' ' -f 1)
  case $last in '' | *[!0-9]*) last=0 ;; esac
  periods_due=$(printf '%s' "$periods_due" | tail -n 100)
  {
    tail -n "$OFF_PERIODS_KEPT" "$dir/off-periods" 2>/dev/null
    printf '%s\n' "$periods_due" | awk -v last="$last" '{ print last + NR, $0 }'
  } >"$dir/off-periods.tmp" && written "$dir/off-periods.tmp" "$periods_due" &&
    mv "$dir/off-periods.tmp" "$dir/off-periods" && periods_due='' && return
  periods_due="$periods_due
"
}

# Does it end as it should? What a full disk has cut does not.
written() { [ "$(tail -n 1 "$1" | cut -d ' ' -f 2-)" = "$(printf '%s' "$2" | tail -n 1)" ]; }

write_status() {
  facts="$wish $holds $node ${why:-} $told $probe_says_inet $probe_says_inet6 $page_says $link_wrong"
  write_periods 2>/dev/null
  [ "$facts" = "$facts_written" ] && return
  {
    printf 'wish=%s\nholds=%s\nsince=%s\nbackend=%s\n' "$wish" "$holds" "$t" "$plan_backend"
    printf 'node=%s\nwhy=%s\ntold=%s\n' "$node" "${why:-}" "$told"
    printf 'probe_inet=%s\nprobe_inet6=%s\n' "$probe_says_inet" "$probe_says_inet6"
    printf 'page=%s\nlink=%s\n' "$page_says" "$link_wrong"
  } 2>/dev/null >"$dir/status.tmp" && [ "$(tail -n 1 "$dir/status.tmp")" = "link=$link_wrong" ] &&
    mv "$dir/status.tmp" "$dir/status" && facts_written=$facts && return
  # Better none than one that is not true any more.
  [ ! -e "$dir/status" ] || say "$dir/status cannot be written: is the disk full?"
  rm -f "$dir/status" "$dir/status.tmp"
}
