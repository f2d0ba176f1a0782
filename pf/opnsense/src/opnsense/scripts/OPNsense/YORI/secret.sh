#!/bin/sh
# A command of yori with passwords: secret.sh FILE[,FILE] COMMAND... Each file is the page's and
# holds one, which must not stand in a list of processes: it is taken away at once. The second is
# that of a new password; `none` is no password.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1

# Prints the password in a file of the page's, and no other file.
take() {
  case ${1#/tmp/yori_secret_} in "$1" | '' | *[!A-Za-z0-9]*) return 64 ;; esac
  { [ -f "$1" ] && [ ! -L "$1" ]; } || return 66
  head -c 1024 "$1" | head -n 1
  rm -f "$1"
}

old=${1%%,*} new=''
case $1 in *,*) new=${1#*,} ;; esac
shift
if [ "$old" != none ]; then
  old=$(take "$old") || exit $?
  set -- "$@" --password-file -
  lines=$old
else
  lines=''
fi
if [ -n "$new" ]; then
  new=$(take "$new") || exit $?
  set -- "$@" --new-file -
  lines="$lines${lines:+
}$new"
fi
printf '%s\n' "$lines" | "${YORI_AS_USER:-$here/yori.sh}" "$@"
