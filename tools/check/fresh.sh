#!/usr/bin/env bash
# Usage: tools/check/fresh.sh [--times N] [--as root|user|both] [--user NAME] [--load]
# Clones HEAD into a folder that its owner alone may enter, with a blank and an umlaut in its
# path, and runs the two commands of the README there, as root and as an ordinary user (root
# alone can be both; whoever else is himself). --load keeps every core busy meanwhile.
# Prints a line a run: who, seconds, what `npm test` said last. Exit code 0 when all were green.
set -u
cd "$(dirname "$0")/../.." || exit 2

times=1 as=both user=nobody load=''
while [ $# -gt 0 ]; do
  case $1 in
  --times) times=${2:?} && shift ;;
  --as) as=${2:?} && shift ;;
  --user) user=${2:?} && shift ;;
  --load) load=yes ;;
  *) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || as=self

# What is run stands in the README, word for word.
for command in 'npm ci && npm start' 'npm ci && npm test'; do
  grep -qF "$command" README.md || {
    echo "fresh.sh: README.md does not say \`$command\` any more" >&2
    exit 2
  }
done

children=() folder='' group=''
clean() {
  [ -z "$group" ] || kill -TERM -- "-$group" 2>/dev/null
  for child in "${children[@]}"; do kill "$child" 2>/dev/null; done
  children=()
  [ -z "$folder" ] || rm -rf "$folder"
  folder=''
}
trap clean EXIT
trap 'exit 130' INT TERM

# The words that make a command another user's, with a home of its own. Where Node's headers
# are (`nodedir`) is a fact of the machine, not of whoever's .npmrc it stands in.
become() {
  local headers
  if [ "$1" = user ]; then
    headers=$(npm config get nodedir)
    [ -d "$headers" ] || headers=''
    printf '%s\0' setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- \
      env HOME="$folder/home" npm_config_cache="$folder/home/.npm" \
      ${headers:+npm_config_nodedir="$headers"}
  fi
}

# `npm start` says that it runs, and ends when it is told to. Any free port will do.
starts() { # the folder, and the words
  local clone=$1 log=$folder/start.log started tries=0
  shift
  (cd "$clone" && YORI_LISTEN=127.0.0.1:0 exec setsid "$@" npm start) >"$log" 2>&1 </dev/null &
  started=$! group=$!
  until grep -qs 'YORI is running' "$log"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$started" 2>/dev/null; then
      kill -TERM -- "-$started" 2>/dev/null
      group=''
      return 1
    fi
    sleep 1
  done
  kill -TERM -- "-$started"
  wait "$started"
  group=''
  return 0
}

run() { # root, user or self
  local words=() clone began said code=0
  folder=$(mktemp -d "${TMPDIR:-/tmp}/yori-fresh-XXXXXX") || return 1
  chmod 700 "$folder"
  clone="$folder/frisch geklönt"
  mkdir "$folder/home"
  # With no file shared: the clone is whole by itself.
  git clone --quiet --no-hardlinks . "$clone" || return 1
  mapfile -d '' -t words < <(become "$1")
  [ "$1" != user ] || chown -R "$user:$(id -g "$user")" "$folder"
  began=$SECONDS
  (cd "$clone" && "${words[@]}" npm ci --no-audit --no-fund) >"$folder/ci.log" 2>&1 </dev/null || code=1
  [ "$code" != 0 ] || starts "$clone" "${words[@]}" || code=2
  if [ "$code" = 0 ]; then
    (cd "$clone" && "${words[@]}" npm test) >"$folder/test.log" 2>&1 </dev/null || code=3
  fi
  case $code in
  1) said="npm ci failed: $(tail -n 1 "$folder/ci.log")" ;;
  2) said="npm start failed: $(tail -n 1 "$folder/start.log")" ;;
  *) said=$(tail -n 1 "$folder/test.log") ;;
  esac
  printf '%-5s %5d s  %s\n' "$1" "$((SECONDS - began))" "$said"
  if [ "$code" = 3 ]; then sed -n '/^  [0-9]* failing$/,$p' "$folder/test.log"; fi
  rm -rf "$folder"
  folder=''
  return "$code"
}

if [ -n "$load" ]; then
  for ((core = $(nproc); core > 0; core--)); do
    (while :; do :; done) &
    children+=("$!")
  done
fi
case $as in both) whose=(root user) ;; *) whose=("$as") ;; esac
failed=0
for ((round = 1; round <= times; round++)); do
  for who in "${whose[@]}"; do run "$who" || failed=$((failed + 1)); done
done
echo "$((times * ${#whose[@]} - failed)) of $((times * ${#whose[@]})) runs were green"
[ "$failed" = 0 ]
