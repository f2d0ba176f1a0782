/**
 * A router on which `yori service install` ran: /etc, /var and /usr/local/lib are copies in a mount
 * namespace of its own, so that user, unit and state go with it. There is no systemd there: a
 * `systemctl` in its place starts what the unit says when it is told `enable --now yori`.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespaces } from '../../test/support/namespaces.js'
import { openPackage } from '../../test/support/open-package.js'

export interface Installed {
  /** A command of `yori` in the shell of the router's root. @throws with its stderr */
  readonly yori: (words: string) => string
}

/** The shell of root on the router, before anything is installed. */
export interface Shell {
  install(): Installed
}

/**
 * `folder` may be entered by every user; `config` becomes /etc/yori/yori.conf, which the
 * installation finds there and keeps; `resolver` is the address that the router itself asks.
 */
export async function routerShell(
  net: Namespaces,
  machine: string,
  { folder, config, resolver }: Record<'folder' | 'config' | 'resolver', string>,
): Promise<Shell> {
  const script = join(folder, 'router.sh')
  writeFileSync(script, PLACES)
  mkdirSync(join(folder, 'bin'))
  const systemctl = join(folder, 'bin', 'systemctl')
  writeFileSync(systemctl, SYSTEMCTL)
  chmodSync(systemctl, 0o755)
  const words = ['--mount', 'sh', script, folder, openPackage()]
  const pid = await net.spawn(machine, 'unshare', words).line()
  const inside = `nsenter --target ${pid} --mount`
  net.run(machine, `${inside} mkdir /etc/yori`)
  net.run(machine, `${inside} tee /etc/yori/yori.conf`, config)
  net.run(machine, `${inside} tee /etc/resolv.conf`, `nameserver ${resolver}\n`)
  const path = `PATH=${join(folder, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`
  const yori = (line: string): string =>
    net.run(
      machine,
      `${inside} env ${path} ${process.execPath} /usr/local/lib/yori/dist/src/cli/main.js ${line}`,
    )
  return {
    install() {
      yori('service install --yes --system systemd')
      return { yori: (line) => yori(`${line} --config /etc/yori/yori.conf`) }
    },
  }
}

/** $1: the folder; $2: the package. Prints the process whose places are the router's, and stays. */
const PLACES = `
set -eu
folder=$1 package=$2
mount --make-rprivate /
cp -a /etc "$folder/etc"
rm -f "$folder/etc/resolv.conf"
umount /etc/resolv.conf 2>/dev/null || true
mount --bind "$folder/etc" /etc
mkdir -p "$folder/var/db" "$folder/var/log" /var/db
mount --bind "$folder/var/db" /var/db
mount --bind "$folder/var/log" /var/log
mount -t tmpfs tmpfs /usr/local/lib
mkdir /usr/local/lib/yori
mount --bind "$package" /usr/local/lib/yori
echo $$
exec sleep infinity
`

const SYSTEMCTL = `#!/bin/sh
[ "$*" = 'enable --now yori' ] || exit 0
start=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/yori.service)
setsid $start >/var/log/yori.out 2>&1 </dev/null &
`
