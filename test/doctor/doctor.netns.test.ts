/** `yori doctor` on a router that is well, and on one where something is wrong. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { Household } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

interface Told {
  readonly ok: boolean
  readonly checks: readonly {
    readonly check: string
    readonly findings: readonly { level: string; what: string; mend?: string }[]
  }[]
}

describe('yori doctor on a router', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('sees that all is well, and what is not once something is taken away', async () => {
    await using home = await Household.open()
    home.configure({
      // Nobody listens there: an answer that comes at once.
      upstream: { extra_ca: [home.folder.file('origin.pem')], dns: ['127.0.0.1:9'] },
    })
    const doctor = (...flags: string[]) => examined(home, flags)
    const asleep = doctor()
    assert.deepEqual(levels(asleep, 'listeners'), ['bad', 'bad'])
    assert.deepEqual(levels(asleep, 'steering'), ['notice'])

    await home.supervise()
    home.apply('nft-tproxy')
    const well = doctor('--probe')
    const wrong = well.checks.flatMap(({ check, findings }) =>
      findings
        .filter(({ level }) => level === 'bad')
        .map(({ what }) => `${check}: ${what}`),
    )
    // There is no DNS server on that internet: what is expected is that this is said.
    assert.deepEqual(wrong, ['resolver: api.openai.com is not found'])
    assert.deepEqual(levels(well, 'probe'), ['good', 'good'])
    assert.match(text(well, 'probe'), /IPv6: .* came to YORI/)
    // Nothing of the probe is left.
    const links = home.machines.run('router', 'ip -o link show')
    assert.doesNotMatch(links, /yori-doctor/)

    // A supervisor would put back what is taken away from here on.
    await home.killSupervisor()
    const nft = (rule: string): string => home.machines.run('router', `nft ${rule}`)
    nft('add table inet deaf')
    nft('add chain inet deaf input { type filter hook input priority 0; }')
    nft('add rule inet deaf input meta nfproto ipv4 meta mark 0x796f drop')
    nft('flush set inet yori llm6')
    const deaf = text(doctor('--probe'), 'probe')
    assert.match(deaf, /IPv4: .* 203\.0\.113\.7 .* was not answered/)
    assert.match(deaf, /IPv6: no LLM address is steered/)
    nft('delete table inet deaf')
    nft('flush chain inet yori llm')
    assert.match(text(doctor('--probe'), 'probe'), /IPv4: .* answered by somebody else/)
    home.machines.run('router', 'nft delete table inet yori')
    const bare = doctor()
    assert.match(text(bare, 'rules'), /`inet yori` is not loaded/)
    assert.equal(mendOf(bare, 'rules'), 'yori pf apply')

    home.machines.run('router', 'nft add table inet fw')
    home.machines.run(
      'router',
      'nft -f -',
      'add chain inet fw forward { type filter hook forward priority 0; }\n' +
        'add rule inet fw forward iifname "lan0" ip daddr 203.0.113.7 drop\n',
    )
    assert.match(text(doctor(), 'own rules'), /forward rule in inet fw forward/)
    home.machines.run('router', 'ip link set lan1 down')
    assert.match(text(doctor(), 'interfaces'), /lan1 is down/)
    // YORI may write into it meanwhile.
    rmSync(`${home.stateDir}/ca`, { recursive: true, maxRetries: 20 })
    assert.match(text(doctor(), 'CA'), /none in/)
    assert.deepEqual(
      // One whose process lives is another run's.
      readdirSync('/var/run/netns').filter((name) => {
        const pid = /^yori-doctor-(\d+)$/.exec(name)?.[1]
        return pid !== undefined && !existsSync(`/proc/${pid}`)
      }),
      [],
    )
  })
})

function examined(home: Household, flags: string[]): Told {
  const { stdout, stderr } = home.yori('doctor', '--json', ...flags)
  try {
    return JSON.parse(stdout) as Told
  } catch {
    throw new Error(`${stdout}${stderr}`)
  }
}

function findings(told: Told, name: string) {
  return told.checks.find(({ check }) => check === name)?.findings ?? []
}

const levels = (told: Told, name: string): string[] =>
  findings(told, name).map(({ level }) => level)
const text = (told: Told, name: string): string =>
  findings(told, name)
    .map(({ what }) => what)
    .join('\n')
const mendOf = (told: Told, name: string): string | undefined =>
  findings(told, name)[0]?.mend
