import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import {
  rulesFile,
  steeringFiles,
  STEER_SCRIPT,
  SUPERVISOR,
} from '../../pf/steering-files.js'
import { supervisorArguments } from '../../pf/steering-files.js'
import {
  runSteerScript,
  supervisorProcess,
  writePlan,
  writeWish,
} from '../../pf/apply.js'
import { steeringPlan } from '../../pf/steering-plan.js'
import { TPROXY_MARK_TEXT, TPROXY_ROUTES } from '../../pf/rules.js'
import { tempFolder } from '../support/temp-folder.js'
import { named, steering } from './support.js'
import { needs } from '../support/needs.js'

/** What the script takes of a table. */
function taken(table: string, family: 4 | 6): string[] {
  const read = `. "$1"; steer_table=$2; steer_addresses ${family}`
  const words = ['-c', read, 'sh', STEER_SCRIPT, table]
  const { stdout, status } = spawnSync('/bin/sh', words, { encoding: 'utf8' })
  assert.equal(status, 0)
  return stdout.split('\n').filter(Boolean)
}

describe('the supervisor', () => {
  it('is plain POSIX shell, as shellcheck sees it', function () {
    needs(this, 'shellcheck')
    const words = ['-x', '-s', 'sh', '-P', 'SCRIPTDIR/../..', SUPERVISOR, STEER_SCRIPT]
    const { stdout, status } = spawnSync('shellcheck', words, { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })

  it('marks and routes as the rules do', () => {
    const script = readFileSync(STEER_SCRIPT, 'utf8')
    assert.match(script, new RegExp(`^STEER_MARK=${TPROXY_MARK_TEXT}$`, 'm'))
    assert.match(script, new RegExp(`^STEER_ROUTES=${TPROXY_ROUTES}$`, 'm'))
  })

  it('takes from the table what may be steered, and no other line', async () => {
    await using folder = await tempFolder()
    const table = folder.file('table')
    const good4 = ['203.0.113.7', '160.79.104.0/23', '172.15.0.1', '100.128.0.1']
    const good6 = [
      '2001:db8:9::42',
      '2607:6bc0::/48',
      '3fff::1',
      '2001:1:2:3:4:5:6:7',
      '2001:1::',
    ]
    const bad = [
      ...['10.0.0.1', '127.0.0.1', '192.168.1.0/24', '172.16.0.1', '169.254.1.1'],
      ...['100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '0.0.0.0/0'],
      ...['192.0.0.9', '8.0.0.0/11', '8.8.8.8/33', '8.8.8', '8.8.8.8.8', '256.1.1.1'],
      ...['::/0', '::1', 'fe80::1', 'fc00::1', 'ff02::1', '2000::/27', '2002:a00:1::'],
      ...['2001:db8::/129', '2001:db8:::1', '2001::db8::1', '64:ff9b::a00:1'],
      ...[
        '8.8.8.8 }',
        '8.8.8.8; flush ruleset',
        '$(id)',
        '`id`',
        'include "/etc/passwd"',
      ],
      ...['08.8.8.8', '8.8.8.08', '2001:1:2:3:4:5:6:7:8', '2001:1:2', '2001:12345::1'],
      ...['example.com', '!8.8.8.8', '8.8.8.8, 10.0.0.1', ' 8.8.8.8', '2001:db8::1%eth0'],
    ]
    writeFileSync(table, [...good4, ...bad, ...good6, ''].join('\n'))
    assert.deepEqual(taken(table, 4), good4)
    assert.deepEqual(taken(table, 6), good6)
  })

  it('reads no table that is a link, and none without end', async () => {
    await using folder = await tempFolder()
    writeFileSync(folder.file('real'), '8.8.8.8\n')
    symlinkSync(folder.file('real'), folder.file('table'))
    assert.deepEqual(taken(folder.file('table'), 4), [])
    spawnSync('mkfifo', [folder.file('fifo')])
    assert.deepEqual(taken(folder.file('fifo'), 4), [])
    writeFileSync(folder.file('long'), '8.8.8.8\n'.repeat(200_000))
    assert.equal(taken(folder.file('long'), 4).length, 131_072, '1 MiB of it')
    // Cut one below, at and one above the end of the last line, where 203.0.113.71 would be .7.
    const lines = (blanks: number): string =>
      '8.8.8.8\n'.repeat(131_070) + '\n'.repeat(blanks) + '203.0.113.71\n1.1.1.1\n'
    for (const [blanks, last] of [
      [2, '203.0.113.71'],
      [3, '203.0.113.71'],
      [4, '8.8.8.8'],
      [5, '8.8.8.8'],
    ] as const) {
      writeFileSync(folder.file('cut'), lines(blanks))
      assert.equal(taken(folder.file('cut'), 4).at(-1), last, String(blanks))
    }
  })

  it('obeys no folder that others may write', async () => {
    await using folder = await tempFolder()
    const state = folder.file('state')
    writeWish(steeringFiles(state), 'off')
    chmodSync(steeringFiles(state).directory, 0o777)
    const words = supervisorArguments(state, { command: ['/bin/true'] })
    const { status, stderr } = spawnSync(SUPERVISOR, words, { encoding: 'utf8' })
    assert.equal(status, 4)
    assert.match(stderr, /nobody else may write/)
    assert.throws(() => writeWish(steeringFiles(state), 'on'), /nobody else may write/)
  })

  it('is not taken for another process of that number', async () => {
    await using folder = await tempFolder()
    const files = steeringFiles(folder.file('state'))
    writeWish(files, 'off')
    writeFileSync(files.pid, `${process.pid}\n`)
    assert.equal(supervisorProcess(files), undefined)
  })
})

describe('steering by pf', () => {
  /** A pfctl that only writes down how it was called, and what it was given. */
  const PFCTL = `#!/bin/sh
    printf '%s\\n' "$*" >>"$CALLS"
    for last; do :; done
    [ "$last" = /dev/null ] || cat "$last" >>"$CALLS"`

  it('fills the tables first, then loads the anchor, and empties it in one step', async () => {
    await using folder = await tempFolder()
    const files = steeringFiles(folder.file('state'))
    for (const [name, text] of [
      ['pfctl', PFCTL],
      ['ifconfig', '#!/bin/sh\necho "ifconfig $*" >>"$CALLS"\n'],
    ] as const) {
      writeFileSync(folder.file(name), text)
      chmodSync(folder.file(name), 0o755)
    }
    const plan = steeringPlan({
      backend: 'pf',
      steering: steering({ exempt: named('steer.exempt', '192.168.1.50') }),
      elements: { inet: [], inet6: [] },
      serverName: 'api.openai.com',
      root: '/var/db/yori/yori-root.pem',
    })
    assert.ok(plan.kind === 'ok')
    writePlan(files, plan)
    const table = folder.file('table')
    writeFileSync(table, '203.0.113.7\n10.0.0.1\n')
    const calls = folder.file('calls')
    const run = (...command: string[]): string => {
      writeFileSync(calls, '')
      const words = [STEER_SCRIPT, files.directory, table, ...command]
      const env = { CALLS: calls, PATH: `${folder.path}:/usr/bin:/bin` }
      const { status, stderr } = spawnSync('/bin/sh', words, { env, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      return readFileSync(calls, 'utf8').replaceAll(files.directory, 'DIR')
    }
    const anchor = readFileSync(rulesFile(files, 'on.both'), 'utf8')
    assert.equal(
      run('on', 'both'),
      'ifconfig lo0\nifconfig lo0 inet6 fd79:6f72:6900::1 prefixlen 128 alias\n' +
        '-q -t yori_exempt -T replace -f DIR/exempt\n192.168.1.50\n' +
        '-q -t yori_llm -T replace -f DIR/llm.tmp\n203.0.113.7\n' +
        `-q -a yori -f DIR/rules.on.both\n${anchor}`,
    )
    assert.equal(run('off'), '-q -a yori -f /dev/null\n')
    assert.equal(
      run('refresh'),
      '-q -t yori_llm -T replace -f DIR/llm.tmp\n203.0.113.7\n',
    )
    assert.ok(!existsSync(rulesFile(files, 'closed')), 'only when it is asked for')
  })

  it('refuses exempt MAC addresses with a clear line', () => {
    for (const from of ['--exempt 02:00:5e:10:00:01', 'steer.exempt[0]']) {
      const made = steeringPlan({
        backend: 'pf',
        steering: steering({ exempt: [{ value: '02:00:5e:10:00:01', from }] }),
        elements: { inet: [], inet6: [] },
        serverName: undefined,
        root: '/x',
      })
      assert.ok(made.kind === 'invalid')
      assert.deepEqual(made.problems, [
        {
          key: from,
          wrong: 'pf does not see MAC addresses (02:00:5e:10:00:01)',
          right:
            'name an alias of type MAC (OPNsense), or give the device a fixed address',
        },
      ])
    }
  })
})

describe('a plan', () => {
  it('without its files is no reason to load anything', async () => {
    await using folder = await tempFolder()
    const files = steeringFiles(folder.file('state'))
    writeWish(files, 'on')
    assert.equal(runSteerScript(files, ['off']).ok, false)
    writeFileSync(files.plan, 'backend=pf\ninet=127.0.0.1:8443; reboot\n')
    assert.equal(runSteerScript(files, ['off']).ok, false)
  })
})
