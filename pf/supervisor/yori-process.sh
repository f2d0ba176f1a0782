#!/bin/sh
# YORI's process: started as another user, waited for, and found again after a supervisor that
# was killed. A library of the supervisor's, with its variables.
# shellcheck disable=SC2034,SC2154

# The command line of a process, or nothing.
args_of() {
  if [ -r "/proc/$1/cmdline" ]; then
    tr '\0' ' ' <"/proc/$1/cmdline"
  else
    ps -o args= -p "$1" 2>/dev/null
  fi
}

is_supervisor() {
  case $(args_of "$1") in *yori-supervisor*) return 0 ;; esac
  return 1
}

# What tells a process from a later one of the same number: when it started.
birth_of() {
  if [ -r "/proc/$1/stat" ]; then
    sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
  else
    ps -o lstart= -p "$1" 2>/dev/null
  fi
}

parent_of() {
  if [ -r "/proc/$1/stat" ]; then
    sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 2
  else
    ps -o ppid= -p "$1" 2>/dev/null | tr -d ' '
  fi
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

# Waits for YORI, and takes steering off before anything else when it has ended. It outlives a
# supervisor that is killed, and tells the one that has taken over.
run_node() {
  trap : TERM INT HUP USR1
  (as_user "$@") &
  child=$!
  birth_of "$child" >"$work/node.born"
  printf '%s\n' "$*" >"$work/node.command"
  # One that nobody could find again would keep the port from the next.
  { printf '%s\n' "$child" >"$work/node.pid.tmp" && mv "$work/node.pid.tmp" "$work/node.pid" &&
    [ "$(cat "$work/node.pid")" = "$child" ]; } || kill -KILL "$child"
  # For whoever looks.
  [ "$work" = "$dir" ] || printf '%s\n' "$child" 2>/dev/null >"$dir/node.pid"
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  # The plan may have come after the start.
  if [ -e "$dir/steered" ] && steer_read_plan "$dir" "$table"; then steer_failed; fi
  printf '%s\n' "$code" >"$work/node.exit"
  read -r told_to <"$dir/supervisor.pid" && is_supervisor "$told_to" && kill -USR1 "$told_to" 2>/dev/null
}

start_node() {
  rm -f "$work/node.pid" "$work/node.exit"
  run_node "$@" &
  parent=$!
  tries=0
  until [ -s "$work/node.pid" ]; do
    tries=$((tries + 1))
    [ "$tries" -gt 100 ] && return 1
    sleep 0.02
  done
  read -r node <"$work/node.pid"
  started=$(now) answered=''
  forget_answers
}

# A predecessor that was killed leaves YORI behind. It goes on where somebody waits for it and it
# is the same command; otherwise it must end, since two cannot listen at one port.
take_over() {
  { [ -s "$work/node.pid" ] && read -r left <"$work/node.pid"; } || return 0
  case $left in '' | *[!0-9]*) return 0 ;; esac
  kill -0 "$left" 2>/dev/null || return 0
  [ "$(birth_of "$left")" = "$(cat "$work/node.born" 2>/dev/null)" ] || return 0
  if [ "$(cat "$work/node.command" 2>/dev/null)" = "$*" ] && is_supervisor "$(parent_of "$left")"; then
    say "YORI ($left) runs already: taken over"
    node=$left parent='' started=$(now) answered=yes
    # Whom it led is led on until the probe says otherwise.
    if [ -e "$dir/steered" ]; then way_inet='' way_inet6=''; fi
    # As good as before, if it answers now.
    good_inet=$YORI_PROBE_GOOD good_inet6=$YORI_PROBE_GOOD
    return
  fi
  say "YORI ($left) was left behind by another supervisor: it is ended"
  [ -z "$planned" ] || steer_failed
  end_process "$left"
}

# TERM, and KILL when that is not obeyed in time.
end_process() {
  kill -TERM "$1" 2>/dev/null
  stop_tries=$((YORI_STOP_SECONDS * 10))
  while kill -0 "$1" 2>/dev/null && [ "$stop_tries" -gt 0 ]; do
    stop_tries=$((stop_tries - 1))
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
}
