/**
 * `yori service`: images for both systems, and a true installation in a mount namespace of its
 * own, whose /etc and /var are copies. What systemd would start is started there by hand.
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCli as runCliOf } from '../support/cli.js'
import type { CliOptions, CliRan } from '../support/cli.js'
import { openMain, openPackage, openTemp } from '../support/open-package.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { has, needs } from '../support/needs.js'

const UNIT = 'etc/systemd/system/yori.service'

/** A path that may stand in a service file, wherever the tests run. */
const runCli = (args: readonly string[], options: CliOptions): Promise<CliRan> =>
  runCliOf(args, { main: openMain(), ...options })

describe('yori service', () => {
  it('shows every step and takes none with --dry-run', async () => {
    await using folder = await tempFolder()
    const ran = await runCli(['service', 'install', '--dry-run', '--system', 'systemd'], {
      cwd: folder.path,
    })
    assert.equal(ran.status, 0, ran.stderr)
    for (const step of [
      'make the user yori',
      'make /var/db/yori (0700, yori)',
      'write /etc/systemd/system/yori.service (0644)',
      'write /etc/logrotate.d/yori (0644)',
      'run systemctl enable --now yori',
    ])
      assert.ok(ran.stdout.includes(step), `${step} in\n${ran.stdout}`)
  })

  it('takes no step that nobody agreed to', async () => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'image')
    const args = ['service', 'install', '--root', root, '--system', 'systemd']
    const ran = await runCli(args, { cwd: folder.path })
    assert.equal(ran.status, 2)
    assert.match(ran.stderr, /--yes/)
    assert.equal(existsSync(root), false)
  })

  it('leaves a Debian package in peace, which is a service already', async () => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'image')
    const unit = join(root, 'usr/lib/systemd/system/yori.service')
    mkdirSync(dirname(unit), { recursive: true })
    writeFileSync(unit, '[Unit]\n')
    const args = ['service', 'install', '--yes', '--root', root, '--system', 'systemd']
    const ran = await runCli(args, { cwd: folder.path })
    assert.equal(ran.status, 4, ran.stdout)
    assert.match(ran.stderr, /nothing was changed: .*the Debian package is installed/)
    assert.equal(existsSync(join(root, 'etc')), false)
  })

  it('says that systemd is not here before it changes anything', async function () {
    needs(this, 'Linux', 'root')
    await using folder = await tempFolder()
    const ran = await runCli(['service', 'install', '--dry-run'], {
      cwd: folder.path,
      env: { PATH: folder.path },
    })
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stderr, /would be refused: systemctl is not there.*`yori run`/)
  })

  it('is refused to whoever is not root', async function () {
    const isRoot = process.getuid?.() === 0
    if (isRoot) needs(this, 'setpriv')
    await using folder = await tempFolder('yori-', openTemp())
    chmodSync(folder.path, 0o711)
    const args = ['service', 'install', '--system', 'systemd', '--yes']
    const stranger = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const under = isRoot ? stranger : []
    const ran = await runCli(args, { cwd: folder.path, under })
    assert.equal(ran.status, 4, ran.stdout)
    assert.match(ran.stderr, /installed by root/)
  })

  for (const name of ['Root; rm', 'a b', '-x', 'UPPER', 'x'.repeat(40)]) {
    it(`refuses the user name ${JSON.stringify(name)}`, async () => {
      await using folder = await tempFolder()
      const args = [
        'service',
        'install',
        `--user=${name}`,
        '--dry-run',
        '--system',
        'rc.d',
      ]
      const ran = await runCli(args, { cwd: folder.path })
      assert.equal(ran.status, 2)
      assert.match(ran.stderr, /no name that a system gives a user/)
    })
  }

  for (const steering of [[], ['--no-steer']]) {
    it(`writes a unit that systemd understands ${steering.join(' ')}`, async function () {
      needs(this, 'systemd-analyze')
      await using folder = await tempFolder()
      const unit = await imageOf(folder.path, ['--system', 'systemd', ...steering], UNIT)
      const verified = await runProgram('systemd-analyze', ['verify', unit])
      assert.equal(verified.stderr, '')
      assert.equal(verified.status, 0)
      // The exposure that systemd reckons, of 10: the lower the better.
      const limit = steering.length === 0 ? '40' : '20'
      const reckoned = await runProgram('systemd-analyze', [
        'security',
        '--offline=true',
        `--threshold=${limit}`,
        unit,
      ])
      assert.equal(reckoned.status, 0, reckoned.stdout.toString().slice(-300))
    })
  }

  it('writes a start script for FreeBSD that a shell understands', async () => {
    await using folder = await tempFolder()
    const script = await imageOf(
      folder.path,
      ['--system', 'rc.d'],
      'usr/local/etc/rc.d/yori',
    )
    assert.equal((await runProgram('sh', ['-n', script])).status, 0)
    const text = readFileSync(script, 'utf8')
    assert.match(text, /^# PROVIDE: yori$/m)
    assert.match(text, /^command=\/usr\/sbin\/daemon$/m)
    assert.ok(text.includes('-u yori -- '), text)
    if (!has('shellcheck')) return
    const found = await runProgram('shellcheck', ['--shell=sh', script])
    assert.equal(found.stdout.toString(), '')
  })

  it('writes a configuration that YORI reads, and leaves one that was changed', async () => {
    await using folder = await tempFolder()
    const cwd = folder.path
    const file = await imageOf(cwd, ['--system', 'systemd'], 'etc/yori/yori.conf')
    const shown = await runCli(['config', 'show', '--config', file, '--json'], { cwd })
    assert.equal(shown.status, 0, shown.stderr)
    assert.match(shown.stdout, /\/var\/log\/yori\/yori\.log/)
    writeFileSync(file, `${readFileSync(file, 'utf8')}# ours\n`)
    const root = join(cwd, 'image')
    const again = ['service', 'install', '--root', root, '--system', 'systemd', '--yes']
    assert.match(
      (await runCli(again, { cwd })).stdout,
      /yori\.conf .*: there already, kept/,
    )
    const gone = await runCli(
      ['service', 'uninstall', '--root', root, '--system', 'systemd', '--yes'],
      { cwd },
    )
    assert.equal(gone.status, 0, gone.stderr)
    assert.match(gone.stdout, /yori\.conf.*: kept: it was changed/)
    const left = (await runProgram('find', [root, '-type', 'f'])).stdout.toString()
    assert.equal(left.trim(), file)
  })

  it('says what is wrong when there is nothing to uninstall', async () => {
    await using folder = await tempFolder()
    const args = ['service', 'uninstall', '--root', folder.path, '--yes']
    const ran = await runCli([...args, '--system', 'systemd'], { cwd: folder.path })
    assert.equal(ran.status, 2)
    assert.match(ran.stderr, /service\.json is not there/)
  })

  it('touches nothing when its own list cannot be read', async () => {
    await using folder = await tempFolder()
    const unit = await imageOf(folder.path, ['--system', 'systemd'], UNIT)
    const root = join(folder.path, 'image')
    writeFileSync(join(root, 'etc/yori/service.json'), '{"version": 1')
    const args = ['service', 'uninstall', '--root', root, '--system', 'systemd', '--yes']
    const ran = await runCli(args, { cwd: folder.path })
    assert.equal(ran.status, 2)
    assert.match(ran.stderr, /was not written by this version of YORI/)
    assert.ok(existsSync(unit))
  })

  it('installs, runs as its user, and uninstalls without a trace', async function () {
    needs(this, 'Linux', 'root', 'useradd', 'setpriv', 'curl', 'ip', 'mount namespaces')
    await using folder = await tempFolder('yori-', openTemp())
    const script = folder.file('script.sh')
    writeFileSync(script, INSTALLATION)
    const ran = await runProgram(
      'unshare',
      ['--mount', '--net', '--pid', '--fork', '--kill-child', 'sh', script].concat([
        folder.path,
        process.execPath,
        openPackage(),
      ]),
    )
    const out = ran.stdout.toString()
    assert.equal(ran.status, 0, `${out}\n${ran.stderr}`)
    const said = (what: string): string | undefined =>
      new RegExp(`^${what}: (.*)$`, 'm').exec(out)?.[1]
    for (const [place, status, why] of [
      ['closed/yori', 4, /it may not enter \/mnt\/closed\/\./],
      ['unread', 4, /it may not read \/mnt\/unread\/dist\/src\/cli\/main\.js\./],
      ['partly', 4, /cannot run YORI from \/mnt\/partly: Error: EACCES.*providers\.yaml/],
      ['temporary', 4, /PrivateTmp=/],
      ['private files', 2, /cd '\/mnt\/private files' && cp -R /],
    ] as const) {
      const [, refusal = ''] = out.split(`refused from ${place}: `)
      const [code, said = ''] = refusal.split(' end of refusal')[0]?.split(' said ') ?? []
      assert.equal(code, String(status), out)
      assert.match(said, why)
      if (status === 4) assert.match(said, /^yori: nothing was changed: /)
    }
    assert.equal(said('difference before'), '')
    assert.equal(said('user before'), 'none')
    assert.equal(said('made before'), '/var/db:')
    assert.equal(said('owner of state'), 'yori 700')
    assert.equal(said('health'), '200', out + ran.stderr)
    assert.equal(said('user of node'), 'yori')
    assert.equal(said('log'), 'yori 640')
    assert.equal(said('systemctl'), 'daemon-reload enable --now yori ')
    assert.equal(said('difference after'), '')
    assert.equal(said('user after'), 'none')
  })
})

async function imageOf(folder: string, flags: string[], file: string): Promise<string> {
  const root = join(folder, 'image')
  const args = ['service', 'install', '--root', root, '--yes', ...flags]
  const ran = await runCli(args, { cwd: folder })
  assert.equal(ran.status, 0, ran.stderr)
  return join(root, file)
}

/**
 * $1: a folder; $2: node; $3: the package. Its /etc and /var die with the namespace, and so do
 * the places that it is installed from: those where it must not be, and the one it names.
 */
const INSTALLATION = `
set -u
folder=$1 node=$2 package=$3
mount --make-rprivate /
mount -t proc proc /proc
ip link set lo up
cp -a /etc "$folder/etc"
mount --bind "$folder/etc" /etc
mkdir -p "$folder/var/db" "$folder/var/log" "$folder/bin"
mkdir -p /var/db
mount --bind "$folder/var/db" /var/db
mount --bind "$folder/var/log" /var/log
printf '%s\\n' '#!/bin/sh' "printf '%s ' \\"\\$*\\" >>\\"$folder/systemctl\\"" >"$folder/bin/systemctl"
chmod 755 "$folder/bin/systemctl" "$folder"
PATH=$folder/bin:$PATH
cp -a /etc "$folder/before"
difference() {
  diff -r -x '*-' -x '.pwd.lock' -x 'subuid*' -x 'subgid*' "$folder/before" /etc 2>/dev/null | tr '\\n' ' '
}

case $folder in /tmp/*) temporary=/var/tmp ;; *) temporary=/tmp ;; esac
for one in /mnt /usr/local/lib "$temporary"; do mount -t tmpfs tmpfs "$one"; done
refused() { # the name to say, the place
  "$node" "$2/dist/src/cli/main.js" service install --yes --system systemd >/dev/null 2>"$folder/said"
  echo "refused from $1: $? said $(cat "$folder/said") end of refusal"
}
for one in "closed" "private files"; do mkdir "/mnt/$one"; done
mkdir /mnt/unread /mnt/closed/yori "$temporary/yori"
chmod 700 /mnt/closed
for one in /mnt/closed/yori "/mnt/private files" "$temporary/yori"; do mount --bind "$package" "$one"; done
cp -a "$package/." /mnt/unread
chmod 600 /mnt/unread/dist/src/cli/main.js
refused unread /mnt/unread
mv /mnt/unread /mnt/partly
chmod 644 /mnt/partly/dist/src/cli/main.js
chmod 600 /mnt/partly/config/providers.yaml
refused partly /mnt/partly
refused temporary "$temporary/yori"
refused 'private files' '/mnt/private files'
refused closed/yori /mnt/closed/yori
echo "difference before: $(difference)"
echo "user before: $(id -u yori 2>/dev/null || echo none)"
echo "made before: $(ls /var/db /var/log)"

# What the refusal says to do.
sed -n 's/^  //p' "$folder/said" | sed '$ s/$/ --yes --system systemd/' >"$folder/remedy"
cat "$folder/remedy"
(umask 077 && sh -e "$folder/remedy") || exit 1
yori=/usr/local/lib/yori/dist/src/cli/main.js
echo "owner of state: $(stat -c '%U %a' /var/db/yori)"
start=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/yori.service)
$start >"$folder/out" 2>&1 &
started=$!
tries=0
until curl -s -o /dev/null http://127.0.0.1:8443/health || [ $tries -gt 100 ]; do
  tries=$((tries + 1)); sleep 0.1
done
echo "health: $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8443/health)"
for one in /proc/[0-9]*; do
  case $(tr '\\0' ' ' <"$one/cmdline" 2>/dev/null) in
  "$node "*main.js*) echo "user of node: $(stat -c %U "$one")" ;;
  esac
done
echo "log: $(stat -c '%U %a' /var/log/yori/yori.log)"
kill "$started"; wait "$started"
cat "$folder/out" >&2
echo "systemctl: $(cat "$folder/systemctl")"
rm -f /var/log/yori/yori.log*
"$node" "$yori" service uninstall --yes --purge --system systemd || exit 1
echo "difference after: $(difference)"
echo "user after: $(id -u yori 2>/dev/null || echo none)"
`
