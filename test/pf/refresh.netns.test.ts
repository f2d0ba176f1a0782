/** What the script's `refresh` tells nftables, as `nft monitor` hears it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { writePlan } from '../../pf/apply.js'
import { STEER_SCRIPT, steeringFiles } from '../../pf/steering-files.js'
import type { SteeringFiles } from '../../pf/steering-files.js'
import { steeringPlan } from '../../pf/steering-plan.js'
import { Namespaces } from '../support/namespaces.js'
import { NAMESPACES, needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'
import { steering } from './support.js'

/** Distinct public addresses. */
function addresses(count: number): string[] {
  return Array.from(
    { length: count },
    (_, n) => `203.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
  )
}

function planned(files: SteeringFiles, onFailure: 'open' | 'closed_llm'): void {
  const plan = steeringPlan({
    backend: 'nft-redirect',
    steering: steering({ onFailure: { value: onFailure, from: 'steer.on_failure' } }),
    elements: { inet: ['160.79.104.0/23'], inet6: [] },
    serverName: undefined,
    root: '/x',
  })
  assert.ok(plan.kind === 'ok')
  writePlan(files, plan)
}

describe('a refresh of the table', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('changes what differs and nothing else, whoever changed it', async () => {
    await using folder = await tempFolder()
    await using machines = new Namespaces(['router'])
    const files = steeringFiles(folder.file('state'))
    planned(files, 'open')
    const table = folder.file('table')
    const script = (...words: string[]) =>
      spawnSync(
        'ip',
        machines.words('router', 'sh', STEER_SCRIPT, files.directory, table, ...words),
        { encoding: 'utf8' },
      )
    const six = ['2001:db8:9::1', '2607:6bc0::/48']
    const known = addresses(3000)
    const write = (lines: readonly string[]): void =>
      writeFileSync(table, [...lines, ...six, ''].join('\n'))
    write(known)
    const on = script('on', 'both')
    assert.equal(on.status, 0, on.stderr)

    machines.run('router', 'nft add table inet marks')
    machines.run('router', 'nft add set inet marks heard { type ifname; }')
    const monitor = machines.spawn('router', 'nft', ['monitor', 'elements'])
    let serial = 0
    const mark = (): string => {
      const marker = `mark${serial++}`
      machines.run('router', `nft add element inet marks heard { ${marker} }`)
      return marker
    }
    /** What was told of LLM addresses since. */
    const heard = async (): Promise<string[]> => {
      const marker = mark()
      const lines: string[] = []
      for (;;) {
        const line = await monitor.line()
        if (line.includes(`{ "${marker}" }`)) return lines.sort()
        if (/ llm[46] /.test(line)) lines.push(line.trim())
      }
    }
    const first = monitor.line()
    let hears = false
    void first.then(() => (hears = true))
    while (!hears) {
      mark()
      await after(10)
    }
    await heard()

    const refreshed = async (): Promise<string[]> => {
      const { status, stderr } = script('refresh')
      assert.equal(status, 0, stderr)
      return heard()
    }
    const says = (verb: string, address: string): string =>
      `${verb} element inet yori llm${address.includes(':') ? 6 : 4} { ${address} }`
    assert.deepEqual(await refreshed(), [], 'nothing has changed')

    const [one, two] = [known[5] as string, known[2999] as string]
    machines.run('router', `nft delete element inet yori llm4 { ${one} }`)
    machines.run('router', 'nft add element inet yori llm4 { 198.51.100.1 }')
    await heard()
    assert.deepEqual(
      await refreshed(),
      [says('add', one), says('delete', '198.51.100.1')],
      'by others',
    )

    write([...known.filter((address) => address !== two), '198.51.100.2'])
    assert.deepEqual(
      await refreshed(),
      [says('add', '198.51.100.2'), says('delete', two)],
      'by a new table',
    )

    machines.run('router', 'nft flush set inet yori llm6')
    await heard()
    assert.deepEqual(
      await refreshed(),
      six.map((address) => says('add', address)),
      'a flushed set',
    )

    // One address of a range, and the range in place of its addresses.
    write(['203.0.0.0/16'])
    assert.equal((await refreshed()).length, known.length + 1)
    write(known)
    await refreshed()
    assert.deepEqual(await refreshed(), [])

    machines.run('router', 'nft flush set inet yori alive')
    await refreshed()
    const alive = machines.run('router', 'nft list set inet yori alive')
    assert.match(alive, /elements = \{ tcp [^}]*udp /)

    machines.run('router', 'nft flush ruleset')
    assert.notEqual(script('refresh').status, 0, 'nothing is there any more')
  })

  it('is given longer the more there is to load', async () => {
    await using folder = await tempFolder()
    const table = folder.file('table')
    const bin = folder.file('bin')
    mkdirSync(bin)
    writeFileSync(`${bin}/nft`, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    writeFileSync(
      `${bin}/timeout`,
      `#!/bin/sh
       case "$1" in -s) echo "$3" >>"${folder.file('limits')}"; shift 3 ;; *) shift ;; esac
       exec "$@"`,
      { mode: 0o755 },
    )
    const files = steeringFiles(folder.file('state'))
    planned(files, 'open')
    const limit = (lines: number): number => {
      writeFileSync(table, addresses(lines).join('\n'))
      writeFileSync(folder.file('limits'), '')
      const { status, stderr } = spawnSync(
        '/bin/sh',
        [STEER_SCRIPT, files.directory, table, 'on', 'both'],
        { env: { PATH: `${bin}:${process.env['PATH']}` }, encoding: 'utf8' },
      )
      assert.equal(status, 0, stderr)
      // The load itself, and a look at what is there then, which is no shorter.
      const given = readFileSync(folder.file('limits'), 'utf8').trim().split('\n')
      assert.ok(given.length >= 1)
      return Math.max(...given.map(Number))
    }
    assert.equal(limit(10), 5)
    assert.equal(limit(16_384), 5 + 32)
  })
})
