#!/bin/sh
# Keeps YORI running and owns steering, so that a home keeps its internet when YORI does not
# answer. Runs as root; YORI itself runs as USER.
#
#   yori-supervisor.sh -d DIRECTORY -t TABLE [-u USER] -- COMMAND...
#
# DIRECTORY is root's own; `yori pf apply` writes the plan, the rules and the wish (on, off)
# there. Steering is on only while the wish says so and YORI answers: it is asked each second on
# the listener of each family, and every 30 s for a TLS handshake. Three misses: off, and 10 s
# later SIGKILL when it still hangs. Five good answers: on again. When YORI ends, its parent
# takes steering off in that moment. HUP: look at plan and wish again. TERM: stop.
# The times below may be given by the environment, for tests.

: "${YORI_PROBE_EVERY:=1}" "${YORI_PROBE_MISSES:=3}" "${YORI_PROBE_GOOD:=5}" "${YORI_TLS_EVERY:=30}"
: "${YORI_KILL_AFTER:=10}" "${YORI_REFRESH_EVERY:=30}" "${YORI_BACKOFF_MAX:=60}"
: "${YORI_STOP_SECONDS:=40}"
OFF_PERIODS_KEPT=1000

# YORI reads some of what is written here, and nothing of it is secret; its own files may be.
umask_given=$(umask)
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 4
# shellcheck source=pf/supervisor/yori-steer.sh
. "$here/yori-steer.sh"

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

main=$$
node=''       # YORI's process id, while it runs
parent=''     # the process that waits for it
planned=''    # a plan could be read
wish=off      # what `apply` and `remove` said: on, off
holds=stale   # what is loaded: off, closed, both, inet, inet6; stale: to be loaded anew
fallen=''     # set by a signal: YORI ended
stopping=''
look=yes      # look at plan and wish
hung_since=''
off_since='' off_cause=''
backoff=1 started=0 restart_at=0 answered=''
misses_inet=0 misses_inet6=0 good_inet=0 good_inet6=0 up_inet='' up_inet6=''
tls_misses=0 tls_due=0 tls_ok=''
refresh_due=0 table_seen='' load_again=0 facts_written='' t=0 told=0

now() { date +%s; }

# Others must not be able to give root something to obey.
own_folder() {
  [ -d "$dir" ] || mkdir -p "$dir" || return 1
  # shellcheck disable=SC2012
  case $(ls -ldn "$dir" | awk '{ print $1, $3 }') in
  d????w* | d???????w*) return 1 ;;
  d*" $(id -u)") return 0 ;;
  *) return 1 ;;
  esac
}

# COMMAND as USER. Linux leaves it one capability: taking connections to foreign addresses.
as_user() {
  umask "$umask_given"
  if [ -z "$user" ] || [ "$(id -u)" != 0 ]; then
    exec "$@"
  elif command -v setpriv >/dev/null 2>&1; then
    caps=-all,+net_raw
    [ "$plan_backend" = nft-redirect ] && caps=-all
    exec setpriv --reuid "$user" --regid "$(id -gn "$user")" --init-groups \
      --inh-caps="$caps" --ambient-caps="$caps" --bounding-set="$caps" --no-new-privs -- "$@"
  else
    exec chroot -n -u "$user" -g "$(id -gn "$user")" / "$@"
  fi
}

# Waits for YORI, and takes steering off before anything else when it has ended.
run_node() {
  trap : TERM INT HUP USR1
  (as_user "$@") &
  child=$!
  printf '%s\n' "$child" >"$dir/node.pid.tmp" && mv "$dir/node.pid.tmp" "$dir/node.pid"
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  # The plan may have come after the start.
  if [ -e "$dir/steered" ] && steer_read_plan "$dir" "$table"; then steer_failed; fi
  printf '%s\n' "$code" >"$dir/node.exit"
  kill -USR1 "$main" 2>/dev/null
}

start_node() {
  rm -f "$dir/node.pid" "$dir/node.exit"
  run_node "$@" &
  parent=$!
  tries=0
  until [ -s "$dir/node.pid" ]; do
    tries=$((tries + 1))
    [ "$tries" -gt 100 ] && return 1
    sleep 0.02
  done
  read -r node <"$dir/node.pid"
  started=$(now) answered=''
  forget_answers
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
  elif [ -n "$up_inet" ] && [ -n "$up_inet6" ]; then
    want=both
  elif [ -n "$up_inet" ]; then
    want=inet
  else
    want=inet6
  fi
  [ "$want" = off ] && [ "$plan_on_failure" = closed_llm ] && want=closed
}

# Loads it, once; what could not be loaded is tried again after a while.
hold() {
  wanted
  [ "$want" = "$holds" ] && return
  [ "$t" -lt "$load_again" ] && return
  case $want in
  off)
    if [ "$wish" = on ]; then steer_off; else steer_forget; fi && holds=off
    ;;
  closed) steer_closed && holds=closed ;;
  *)
    : >"$dir/steered"
    if steer_on "$want" && kill -0 "$node" 2>/dev/null; then
      holds=$want refresh_due=$((t + YORI_REFRESH_EVERY))
      table_seen=$(cksum "$table" 2>/dev/null)
    else
      steer_failed
      why=not-loaded holds=stale
    fi
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

# A period without steering that was wished for: written when it begins, and when it ends.
note_period() {
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

# The sets forget what is not renewed; a new table is taken over at once.
renew() {
  case $holds in off | stale) return ;; esac
  seen=$(cksum "$table" 2>/dev/null)
  if [ "$seen" != "$table_seen" ] || [ "$t" -ge "$refresh_due" ]; then
    steer_refresh || say 'the table could not be renewed'
    table_seen=$seen refresh_due=$((t + YORI_REFRESH_EVERY))
  fi
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
  wait "$parent" 2>/dev/null
  code=$(cat "$dir/node.exit" 2>/dev/null)
  node=''
  t=$(now)
  lived=$((t - started))
  [ "$lived" -ge 60 ] && backoff=1
  restart_at=$((t + backoff))
  say "YORI ended with $code after $lived s; again in $backoff s"
  backoff=$((backoff * 2))
  [ "$backoff" -gt "$YORI_BACKOFF_MAX" ] && backoff=$YORI_BACKOFF_MAX
  # Its parent has done it already; this sets the books right.
  case $holds in off | closed) ;; *) holds=stale ;; esac
  forget_answers
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
  if [ -n "$node" ] && [ -z "$fallen" ]; then
    kill -TERM "$node" 2>/dev/null
    stop_by=$(($(now) + YORI_STOP_SECONDS))
    while kill -0 "$node" 2>/dev/null && [ "$(now)" -lt "$stop_by" ]; do sleep 0.1; done
    kill -KILL "$node" 2>/dev/null
  fi
  node=''
  write_status
  rm -f "$dir/supervisor.pid" "$dir/node.pid"
  say "stopped; steering: $holds"
  exit 0
}

own_folder || {
  say "$dir must be a folder of this user's own that nobody else may write"
  exit 4
}
is_supervisor() { ps -o args= -p "$1" 2>/dev/null | grep -q yori-supervisor; }
if [ -s "$dir/supervisor.pid" ] && read -r other <"$dir/supervisor.pid" && is_supervisor "$other"; then
  say "already running: process $other"
  exit 4
fi
printf '%s\n' "$$" >"$dir/supervisor.pid"
trap 'fallen=yes' USR1
trap 'stopping=yes' TERM INT
trap 'look=yes' HUP

went_on=$(last_period)
off_since=${went_on%% *} off_cause=${went_on#* }
while :; do
  [ -n "$stopping" ] && stop
  sleep "$YORI_PROBE_EVERY" &
  tick=$!
  t=$(now)
  [ -n "$look" ] && read_wish
  [ -n "$fallen" ] && node_fell
  if [ -z "$node" ] && [ "$t" -ge "$restart_at" ]; then
    start_node "$@" || say 'YORI could not be started'
  fi
  if [ -n "$planned" ]; then
    [ -n "$node" ] && [ -z "$fallen" ] && ask
    [ -n "$fallen" ] && node_fell
    t=$(now)
    end_hung
    hold
    note_period
    renew
  fi
  write_status
  [ -n "$fallen$stopping$look" ] || wait_for "$tick"
done
