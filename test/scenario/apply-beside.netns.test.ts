/**
 * `yori pf apply` beside others: another apply at the same time, one that was killed on its way, a
 * table of that name that is somebody else's, an interface that comes later.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { packageFile } from '../../src/core/package-root.js'
import { rulesFile } from '../../pf/steering-files.js'
import { FAMILIES, Household, LLM, PROVIDER, YORI } from '../support/household.js'
import type { SteerBackend } from '../support/household.js'
import type { Reached } from '../support/keep-asking.js'
import { NAMESPACES, needs } from '../support/needs.js'

/** What has had no answer for so long has fallen into a hole. */
const LOST_MS = 60_000
const BACKENDS = ['nft-tproxy', 'nft-redirect'] as const

function applying(home: Household, backend: SteerBackend) {
  const words = [YORI, 'pf', 'apply', '--backend', backend, '--config', home.config]
  const inside = home.machines.words('router', process.execPath, ...words)
  const child = spawn('ip', inside, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece))
  return { child, ended: once(child, 'exit'), said: () => stderr }
}

/** The plan's id, and that of the rules of both families. */
function ids({ files }: Household): (string | undefined)[] {
  const plan = readFileSync(files.plan, 'utf8')
  const rules = readFileSync(rulesFile(files, 'on.both'), 'utf8')
  return [/^id=(.+)$/m.exec(plan)?.[1], /^# plan (.+)$/m.exec(rules)?.[1]]
}

async function steered(home: Household, when: string): Promise<void> {
  const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
  for (const { issuer } of await home.ask(asks)) assert.match(issuer ?? '', /^YORI/, when)
}

describe('yori pf apply beside others', function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  it('is one at a time, leads nobody into a hole, and may be killed at any step', async () => {
    await using home = await Household.open()
    await home.supervise()
    home.apply('nft-tproxy')
    const asking = home.machines.spawn('client', process.execPath, [
      packageFile('dist', 'test', 'support', 'keep-asking.js'),
      ...[home.folder.file('roots.pem'), PROVIDER.inet, LLM],
      // A hole is one however long it is waited for, a busy machine is none.
      ...['200', String(LOST_MS)],
    ])
    const both = BACKENDS.map((backend) => applying(home, backend))
    await Promise.all(both.map(({ ended }) => ended))
    const codes = both.map(({ child }) => child.exitCode)
    assert.ok(codes.includes(0), both.map(({ said }) => said()).join())
    for (const { child, said } of both)
      if (child.exitCode !== 0)
        assert.match(said(), /process \d+ changes steering just now/)
    const [plan, rules] = ids(home)
    assert.equal(plan, rules)
    await steered(home, 'after two at once')

    for (const ms of [600, 900, 1200, 1500]) {
      const { child, ended } = applying(
        home,
        ms % 600 === 0 ? 'nft-redirect' : 'nft-tproxy',
      )
      await after(ms)
      child.kill('SIGKILL')
      await ended
    }
    home.apply('nft-redirect')
    await steered(home, 'after some that were killed')
    asking.child.kill('SIGTERM')
    const wrong: Reached[] = []
    for (;;) {
      const line = await asking.line().catch(() => undefined)
      if (line === undefined) break
      const reached = JSON.parse(line) as Reached
      if (reached.error !== undefined) wrong.push(reached)
    }
    // What TPROXY took is let go of when its rules give way to the others'.
    const lost = wrong.filter(({ error }) => error !== 'ECONNRESET')
    assert.deepEqual(lost, [])
  })

  it('loads no rules that another apply has written', async () => {
    await using home = await Household.open()
    await home.supervise()
    home.apply('nft-redirect')
    const rules = rulesFile(home.files, 'on.both')
    const text = readFileSync(rules, 'utf8')
    home.machines.run('router', `sed -i s/^#.plan.*/#.plan.0/ ${rules}`)
    home.machines.run('router', 'nft delete table inet yori')
    await home.until('they are refused', () => /another apply's/.test(home.log))
    await home.until('it is told', () => home.says('why') === 'not-loaded')
    assert.ok(text.startsWith('# plan '))
    home.apply('nft-redirect')
    await steered(home, 'after the next')
  })

  it('takes no table away that is somebody else’s, and waits for an interface', async () => {
    await using home = await Household.open()
    const { machines } = home
    machines.run(
      'router',
      'nft add table inet yori { chain mine { tcp dport 22 accept ; } ; }',
    )
    await home.supervise()
    const refused = home.yori('pf', 'apply', '--backend', 'nft-redirect')
    assert.notEqual(refused.status, 0)
    assert.match(refused.stderr, /none of YORI/)
    assert.match(machines.run('router', 'nft list table inet yori'), /chain mine/)
    machines.run('router', 'nft delete table inet yori')

    machines.run('router', 'ip link del lan1')
    home.apply('nft-redirect')
    assert.equal(home.says('link'), '')
    machines.link({
      from: { machine: 'tablet', name: 'eth0', addresses: ['10.77.1.2/24'] },
      to: { machine: 'router', name: 'lan1', addresses: ['10.77.1.1/24'] },
    })
    machines.run('tablet', 'ip route add default via 10.77.1.1')
    const [answer] = await home.ask([{ host: PROVIDER.inet, name: LLM }], 'tablet')
    assert.match(answer?.issuer ?? '', /^YORI/)
  })
})
