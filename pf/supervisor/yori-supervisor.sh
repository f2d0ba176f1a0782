#!/bin/sh
# Keeps YORI running and owns steering, so that a home keeps its internet when YORI does not
# answer. Runs as root; YORI itself runs as USER.
#
#   yori-supervisor.sh -d DIRECTORY -t TABLE [-u USER] -- COMMAND...
#
# DIRECTORY is root's own; `yori pf apply` writes the plan, the rules and the wish (on, off)
# there. Steering is on only while the wish says so and YORI answers: it is asked each second on
# the listener of each family, and every 30 s for a TLS handshake, there and on the way of clients.
# Three misses: off, and 10 s later SIGKILL when it still hangs. Five good answers: on again. When YORI ends, its parent
# takes steering off in that moment. HUP: look at plan and wish again. TERM: stop.
# The times below may be given by the environment, for tests.

: "${YORI_PROBE_EVERY:=1}" "${YORI_PROBE_MISSES:=3}" "${YORI_PROBE_GOOD:=5}" "${YORI_TLS_EVERY:=30}"
: "${YORI_KILL_AFTER:=10}" "${YORI_REFRESH_EVERY:=30}" "${YORI_BACKOFF_MAX:=60}"
: "${YORI_STOP_SECONDS:=40}" "${YORI_WAY_SECONDS:=2}" "${YORI_WAY_EVERY:=}"
OFF_PERIODS_KEPT=1000
# Lines of the table that are loaded in less time than a probe takes.
SHORT_TABLE=500

# YORI reads some of what is written here, and nothing of it is secret; its own files may be.
umask_given=$(umask)
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 4
# shellcheck source=pf/supervisor/yori-steer.sh
. "$here/yori-steer.sh"
# shellcheck source=pf/supervisor/yori-books.sh
. "$here/yori-books.sh"
# shellcheck source=pf/supervisor/yori-process.sh
. "$here/yori-process.sh"
# shellcheck source=pf/supervisor/yori-way.sh
. "$here/yori-way.sh"
# shellcheck source=pf/supervisor/yori-probe.sh
. "$here/yori-probe.sh"

say() { printf '%s\n' "yori-supervisor: $*" >&2; }

usage() {
  say 'usage: yori-supervisor.sh -d DIRECTORY -t TABLE [-u USER] -- COMMAND...'
  exit 2
}

dir='' table='' user=''
while getopts d:t:u: flag; do
  case $flag in
  d) dir=$OPTARG ;;
  t) table=$OPTARG ;;
  u) user=$OPTARG ;;
  *) usage ;;
  esac
done
shift $((OPTIND - 1))
{ [ -n "$dir" ] && [ -n "$table" ] && [ $# -gt 0 ]; } || usage

node=''       # YORI's process id, while it runs
parent=''     # the process that waits for it
planned=''    # a plan could be read
wish=off      # what `apply` and `remove` said: on, off
holds=stale   # what is loaded: off, closed, both, inet, inet6; stale: to be loaded anew
fallen=''     # set by a signal: YORI ended
stopping=''
look=yes      # look at plan and wish
hung_since=''
off_since='' off_cause='' off_state=open periods_due=''
way_inet='' way_inet6='' way_retry=0 seen_well='' link_wrong='' links_known=''
prober='' probing='' probe_wired='' probe_asked=0 probe_due=0 clients_marked=''
now_inet='' now_inet6='' mark_inet='' mark_inet6='' missed_inet='' missed_inet6='' missed_since=0
probe_misses_inet=0 probe_misses_inet6=0 probe_says_inet='' probe_says_inet6=''
page_says='' page_misses=0
backoff=1 started=0 restart_at=0 answered=''
misses_inet=0 misses_inet6=0 good_inet=0 good_inet6=0 up_inet='' up_inet6=''
tls_misses=0 tls_due=0 tls_ok=''
refresh_due=0 table_seen='' load_again=0 facts_written='' t=0 told=0
loading='' loader='' loads=0 refresher='' refreshed='' refreshed_at=0 refreshed_last=0

now() { date +%s; }

# Others must not be able to give root something to obey.
own_folder() {
  [ -d "$1" ] || mkdir -p "$1" || return 1
  # shellcheck disable=SC2012
  case $(ls -ldn "$1" | awk '{ print $1, $3 }') in
  d????w* | d???????w*) return 1 ;;
  d*" $(id -u)") return 0 ;;
  *) return 1 ;;
  esac
}

forget_answers() {
  misses_inet=0 misses_inet6=0 good_inet=0 good_inet6=0 up_inet='' up_inet6=''
  tls_misses=0 tls_due=0 tls_ok='' hung_since=''
}

# A wait that goes on over signals, except for those that matter at once.
wait_for() {
  while :; do
    wait "$1"
    result=$?
    [ "$result" -gt 128 ] && [ -z "$fallen$stopping" ] && kill -0 "$1" 2>/dev/null && continue
    return "$result"
  done
}

read_wish() {
  led_before=$wish.$plan_backend
  look='' planned='' wish=off told=$((told + 1))
  before="$plan_inet $plan_inet6"
  if [ -e "$dir/plan" ] && steer_read_plan "$dir" "$table"; then
    planned=yes
    if [ -f "$dir/desired" ]; then read -r wish <"$dir/desired"; fi
    lacking=$(steer_missing | tr '\n' ' ')
    if [ -n "$lacking" ]; then
      say "not steering: programs are missing: $lacking"
      wish=off
    fi
  fi
  [ "$before" = "$plan_inet $plan_inet6" ] || forget_answers
  # Who is led already goes on being led, and is asked about at once.
  if [ "$led_before" = "on.$plan_backend" ]; then forget_probes; else probe_first; fi
  [ "$wish" = on ] || probe_release
  # What was loaded may be another plan's.
  holds=stale load_again=0
}

# $1: inet or inet6; $2: 0 for a good answer.
count_answer() {
  case $1 in
  inet) misses=$misses_inet good=$good_inet up=$up_inet ;;
  *) misses=$misses_inet6 good=$good_inet6 up=$up_inet6 ;;
  esac
  if [ "$2" = 0 ]; then
    good=$((good + 1)) misses=0 answered=yes
    [ "$good" -ge "$YORI_PROBE_GOOD" ] && up=yes
  else
    misses=$((misses + 1)) good=0
    [ "$misses" -ge "$YORI_PROBE_MISSES" ] && up=''
  fi
  case $1 in
  inet) misses_inet=$misses good_inet=$good up_inet=$up ;;
  *) misses_inet6=$misses good_inet6=$good up_inet6=$up ;;
  esac
}

# Both families and TLS at once: a second in all, whoever is silent.
ask() {
  asked_inet='' asked_inet6='' asked_tls=''
  if [ -n "$plan_inet" ]; then
    steer_probe inet &
    asked_inet=$!
  fi
  if [ -n "$plan_inet6" ]; then
    steer_probe inet6 &
    asked_inet6=$!
  fi
  if [ "$t" -ge "$tls_due" ]; then
    family=inet
    if [ -z "$plan_inet" ] || { [ -z "$up_inet" ] && [ -n "$up_inet6" ]; }; then family=inet6; fi
    steer_probe_tls "$family" &
    asked_tls=$!
  fi
  if [ -n "$asked_inet" ]; then
    wait_for "$asked_inet"
    answer=$?
    [ -n "$fallen$stopping" ] && return
    count_answer inet "$answer"
  fi
  if [ -n "$asked_inet6" ]; then
    wait_for "$asked_inet6"
    answer=$?
    [ -n "$fallen$stopping" ] && return
    count_answer inet6 "$answer"
  fi
  [ -n "$asked_tls" ] || return
  if wait_for "$asked_tls"; then
    tls_misses=0 tls_ok=yes tls_due=$((t + YORI_TLS_EVERY))
  else
    [ -n "$fallen$stopping" ] && return
    tls_misses=$((tls_misses + 1))
    [ "$tls_misses" -ge "$YORI_PROBE_MISSES" ] && tls_ok=''
  fi
}

# What should be loaded now, and why it is less than was wished for.
wanted() {
  want=off why=
  [ "$wish" = on ] || return
  if [ -z "$node" ]; then
    why=ended
  elif [ -z "$up_inet$up_inet6" ]; then
    if [ -n "$hung_since" ]; then why=no-answer; else why=starting; fi
  elif [ -z "$tls_ok" ]; then
    why=no-handshake
  else
    four=$up_inet six=$up_inet6
    [ -z "$four" ] || [ -z "$way_inet" ] || { four='' why=$way_inet; }
    [ -z "$six" ] || [ -z "$way_inet6" ] || { six='' why=$way_inet6; }
    case ${four:+4}${six:+6} in
    46) want=both ;;
    4) want=inet ;;
    6) want=inet6 ;;
    esac
  fi
  [ "$want" = off ] && [ "$plan_on_failure" = closed_llm ] && want=closed
}

# A table that takes long is loaded beside the probes, which go on. $1: what is to hold.
load() {
  loading=$1
  rm -f "$work/load.done"
  load_it "$1" &
  loader=$!
  # Most are short.
  steer_count
  [ "$steer_lines" -gt "$SHORT_TABLE" ] || wait_for "$loader"
}

load_it() {
  trap - TERM INT HUP USR1
  result=1
  if [ "$1" = closed ]; then
    steer_closed && result=0
  else
    true >"$dir/steered"
    if steer_on "$1" && kill -0 "$node" 2>/dev/null; then result=0; else steer_failed; fi
  fi
  printf '%s\n' "$result" >"$work/load.done.tmp"
  mv "$work/load.done.tmp" "$work/load.done"
}

# Did it end well? What holds is known again.
loaded() {
  until [ -e "$work/load.done" ] || ! kill -0 "$loader" 2>/dev/null; do sleep 0.05; done
  wait "$loader"
  read -r result 2>/dev/null <"$work/load.done" || result=1
  loads=$((loads + 1))
  if [ "$result" = 0 ]; then
    holds=$loading refresh_due=$((t + YORI_REFRESH_EVERY)) seen_well=$t refreshed_last=$t
    table_seen=$(cksum "$table" 2>/dev/null)
  else
    # What ended while its table was loaded is why nothing holds.
    holds=stale why=not-loaded
    kill -0 "${node:-0}" 2>/dev/null || why=ended
  fi
  loading=''
}

# Loads it, once; what could not be loaded is tried again after a while.
hold() {
  wanted
  if [ -n "$loading" ]; then
    [ -e "$work/load.done" ] || [ "$want" != "$loading" ] ||
      ! kill -0 "$loader" 2>/dev/null || return 0
    loaded
  fi
  [ "$want" = "$holds" ] && return
  if [ "$t" -lt "$load_again" ]; then
    why=${why:-not-loaded}
    return
  fi
  case $want in
  off)
    if [ "$wish" = on ]; then steer_off; else steer_forget; fi && holds=off
    ;;
  *)
    load "$want"
    if [ -e "$work/load.done" ]; then loaded; else return 0; fi
    ;;
  esac
  if [ "$want" = "$holds" ]; then
    case $holds in off | closed) rm -f "$dir/steered" ;; esac
    say "steering: $holds${why:+ ($why)}"
  else
    load_again=$((t + 10))
    say "steering: $want could not be loaded"
  fi
}

# What was loaded forgets itself unless it is renewed; a new table is taken over at once. Beside
# the probes: a long table takes seconds.
renew() {
  if [ -n "$refresher" ]; then
    [ -e "$work/refresh.done" ] || ! kill -0 "$refresher" 2>/dev/null || return 0
    wait "$refresher"
    refresher=''
    read -r result 2>/dev/null <"$work/refresh.done" || result=1
    if [ "$result" != 0 ] && [ "$refreshed" = "$loads.$holds" ]; then
      say 'what was loaded is not there any more: loaded again'
      [ "$result" != 3 ] || begin_period "$refreshed_last" changed open
      holds=stale load_again=0
    elif [ "$result" = 0 ]; then
      refreshed_last=$refreshed_at
    fi
  fi
  [ -z "$loading" ] || return 0
  case $holds in off | stale) return ;; esac
  seen=$(cksum "$table" 2>/dev/null)
  if [ "$seen" != "$table_seen" ] || [ "$t" -ge "$refresh_due" ]; then
    rm -f "$work/refresh.done"
    refresh_it &
    refresher=$! refreshed=$loads.$holds refreshed_at=$t
    table_seen=$seen refresh_due=$((t + YORI_REFRESH_EVERY))
  fi
}

refresh_it() {
  trap - TERM INT HUP USR1
  steer_refresh
  printf '%s\n' "$?" >"$work/refresh.done.tmp"
  mv "$work/refresh.done.tmp" "$work/refresh.done"
}

# A process that hangs holds its clients' connections: ended, they try again and get through.
# What never answered may still be starting, and gets longer.
end_hung() {
  for misses in ${plan_inet:+"$misses_inet"} ${plan_inet6:+"$misses_inet6"}; do
    if [ "$misses" -lt "$YORI_PROBE_MISSES" ]; then
      hung_since=''
      return
    fi
  done
  [ -n "$node" ] || return
  [ -n "$hung_since" ] || hung_since=$t
  patience=$YORI_KILL_AFTER
  [ -n "$answered" ] || patience=60
  if [ $((t - hung_since)) -ge "$patience" ]; then
    say "YORI ($node) does not answer: SIGKILL"
    kill -KILL "$node"
    hung_since=''
  fi
}

node_fell() {
  fallen=''
  [ -z "$parent" ] || wait "$parent" 2>/dev/null
  code=$(cat "$work/node.exit" 2>/dev/null)
  node=''
  read_clock
  lived=$((t - started))
  [ "$lived" -ge 60 ] && backoff=1
  restart_at=$((t + backoff))
  say "YORI ended with $code after $lived s; again in $backoff s"
  backoff=$((backoff * 2))
  [ "$backoff" -gt "$YORI_BACKOFF_MAX" ] && backoff=$YORI_BACKOFF_MAX
  # Its parent has done it already; this sets the books right.
  case $holds in off | closed) ;; *) holds=stale ;; esac
  forget_answers
  forget_probes
}

stop() {
  t=$(now) why=stopped
  if [ "$plan_on_failure" = closed_llm ] && [ "$wish" = on ]; then
    steer_closed && holds=closed
  elif [ -n "$planned" ]; then
    steer_forget && holds=off
  fi
  rm -f "$dir/steered"
  note_period
  if [ -n "$node" ] && [ -z "$fallen" ]; then end_process "$node"; fi
  node=''
  probe_release
  write_status
  rm -f "$dir/supervisor.pid" "$dir/node.pid" "$work/node.pid" "$work/node.born" "$work/node.command"
  case $work in /run/yori-steer-*) rm -rf "$work" ;; esac
  say "stopped; steering: $holds"
  exit 0
}

own_folder "$dir" || {
  say "$dir must be a folder of this user's own that nobody else may write"
  exit 4
}
if [ -s "$dir/supervisor.pid" ] && read -r other <"$dir/supervisor.pid" && is_supervisor "$other"; then
  say "already running: process $other"
  exit 4
fi
printf '%s\n' "$$" >"$dir/supervisor.pid"
work_folder
steer_work=$work
trap 'fallen=yes' USR1
trap 'stopping=yes' TERM INT
trap 'look=yes' HUP

went_on=$(last_period)
if [ -n "$went_on" ]; then
  off_since=${went_on%% *} off_state=${went_on##* } off_cause=${went_on#* }
  off_cause=${off_cause%% *}
fi
rm -f "$work/load.done" "$work/refresh.done" "$work/probe.done"
probe_release
read_wish
take_over "$@"
while :; do
  [ -n "$stopping" ] && stop
  sleep "$YORI_PROBE_EVERY" &
  tick=$!
  read_clock
  [ -n "$look" ] && read_wish
  # Whoever waits for it may have been killed.
  [ -z "$node" ] || kill -0 "$node" 2>/dev/null || fallen=yes
  [ -n "$fallen" ] && node_fell
  if [ -z "$node" ] && [ "$t" -ge "$restart_at" ]; then
    start_node "$@" || {
      say 'YORI could not be started'
      restart_at=$((t + 10))
    }
  fi
  if [ -n "$planned" ]; then
    [ -n "$node" ] && [ -z "$fallen" ] && ask
    [ -n "$fallen" ] && node_fell
    read_clock
    end_hung
    watch_way
    watch_bridges
    watch_links
    retry_way
    watch_probe
    hold
    renew
    [ "$holds" != stale ] || hold
    note_period
  fi
  write_status
  [ -n "$fallen$stopping$look" ] || wait_for "$tick"
done
