import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { configOf } from '../../../../src/cli/context.js'
import { pfCommand } from '../../../../src/cli/commands/steer/pf.js'
import { tempFolder } from '../../../support/temp-folder.js'

interface Ran {
  readonly out: string
  readonly notes: string
  readonly code: number
}

async function run(...args: string[]): Promise<Ran> {
  const ran = { out: '', notes: '', code: 0 }
  const command = pfCommand({
    config: configOf,
    print: (text) => void (ran.out += text),
    note: (text) => void (ran.notes += text),
    exit: (code) => void (ran.code = code),
  })
  command.exitOverride()
  await command.parseAsync(args, { from: 'user' })
  return ran
}

/** `yori pf ARGS --config FILE` with that configuration. */
async function withConfig(text: string, ...args: string[]): Promise<Ran> {
  await using folder = await tempFolder()
  const file = folder.file('yori.conf')
  writeFileSync(file, text)
  return await run(...args, '--config', file)
}

describe('yori pf generate', () => {
  const CONFIG = 'steer:\n  interfaces: em1\n  exempt: [10.0.0.5]\n'

  it('prints the anchor of the configuration, with its keys', async () => {
    const { out, code } = await withConfig(CONFIG, 'generate')
    assert.equal(code, 0)
    assert.match(out, /^# steer\.interfaces\[0\], listen\[0\]\nrdr on \$lan_if inet /m)
    assert.match(out, /^lan_if = "\{ em1 \}"$/m)
  })

  it('takes interfaces and exempt devices from the command line', async () => {
    const args = ['--backend', 'nft-tproxy', '--lan', 'eth1', '--lan', 'eth2']
    const mac = ['--exempt', '02:00:5E:10:00:01']
    const { out } = await withConfig(CONFIG, 'generate', ...args, ...mac)
    assert.match(out, /elements = \{ "eth1", "eth2" \}/)
    assert.match(out, /elements = \{ 10\.0\.0\.5 \}/)
    assert.match(out, /elements = \{ 02:00:5e:10:00:01 \}/)
    assert.match(out, /160\.79\.104\.0\/23/)
    assert.doesNotMatch(out, /em1/)
  })

  it('says which family nobody leads here', async () => {
    const both = await withConfig(CONFIG, 'generate')
    assert.equal(both.notes, '')
    const four = `${CONFIG}listen: 0.0.0.0:8443\n`
    const { notes, out } = await withConfig(four, 'generate')
    assert.match(notes, /IPv6 is not led here.*add \[::\]:8443 to listen/)
    assert.doesNotMatch(out, /IPv6 is not/)
    const six = await withConfig(`${CONFIG}listen: '[::]:8443'\n`, 'generate', '--json')
    const { unled } = JSON.parse(six.out) as { unled: string }
    assert.match(unled, /^IPv4 is not led here.*steer\.families: ipv6$/)
    const wished = CONFIG.replace('steer:', 'steer:\n  families: ipv4')
    const one = await withConfig(`${wished}listen: 0.0.0.0:8443\n`, 'generate')
    assert.equal(one.notes, '')
    const { out: told } = await withConfig(four, 'status')
    assert.match(told, /^not led {5}IPv6/m)
  })

  it('prints JSON for programs', async () => {
    const { out } = await withConfig(CONFIG, 'generate', '--json', '--backend', 'pf-conf')
    const { backend, text } = JSON.parse(out) as { backend: string; text: string }
    assert.equal(backend, 'pf-conf')
    assert.match(text, /^table <yori_exempt> persist \{ 10\.0\.0\.5 \}$/m)
  })

  it('needs no interface for resolvers', async () => {
    const { out, code } = await withConfig(
      'mode: observe\n',
      'generate',
      '--backend',
      'unbound',
    )
    assert.equal(code, 0)
    assert.match(out, /^local-data: "api\.openai\.com\. 300 IN HTTPS 1 \. alpn=h2"$/m)
  })

  it('does not lead all of Google here for the sake of one name', async () => {
    for (const backend of ['dnsmasq', 'dnsmasq-pf', 'unbound']) {
      const plain = await withConfig('mode: observe\n', 'generate', '--backend', backend)
      assert.match(plain.out, /api\.openai\.com/)
      assert.doesNotMatch(plain.out, /google/)
      const text = 'steer:\n  shared: [gemini]\n'
      const asked = await withConfig(text, 'generate', '--backend', backend)
      assert.match(asked.out, /generativelanguage\.googleapis\.com/)
    }
  })

  it('refuses names that would be more than names, and prints no rule', async () => {
    for (const lan of [
      'em1 }" pass all #',
      'em1\npass all',
      '$(reboot)',
      'a'.repeat(16),
    ]) {
      const { out, notes, code } = await withConfig(CONFIG, 'generate', '--lan', lan)
      assert.deepEqual([out, code], ['', 3])
      assert.match(notes, /^--lan \S.*: .*; expected an interface such as em1\n$/)
    }
    for (const exempt of [
      '0.0.0.0/0',
      'tv.example.com',
      '10.0.0.1 any',
      'x'.repeat(32),
    ]) {
      const { out, code } = await withConfig(CONFIG, 'generate', '--exempt', exempt)
      assert.deepEqual([out, code], ['', 3])
    }
  })

  it('hears of a bad name in the configuration from its loader', async () => {
    for (const line of [
      'interfaces: ["em1; x"]',
      'tables: { llm: a b }',
      'address6: ::1',
    ])
      await assert.rejects(withConfig(`steer:\n  ${line}\n`, 'generate'), {
        code: 'YORI_CONFIG_INVALID',
      })
  })
})

describe('yori pf check', () => {
  const check = async (text: string, ...flags: string[]): Promise<Ran> => {
    await using folder = await tempFolder()
    const file = folder.file('pf.conf')
    writeFileSync(file, text)
    const ran = await run('check', file, ...flags)
    return {
      ...ran,
      out: ran.out.replaceAll(file, 'FILE'),
      notes: ran.notes.replaceAll(file, 'FILE'),
    }
  }

  it('says what is wrong and where, and exits 1', async () => {
    const ran = await check('pass in all\ntable <t> { api.openai.com }\n')
    assert.equal(ran.code, 1)
    assert.match(ran.notes, /^FILE:2: error: "api\.openai\.com" is no address/)
  })

  it('exits 5 where it knows nothing wrong, and not everything', async () => {
    const ran = await check('pass in from em1:network to any\n')
    assert.equal(ran.code, 5)
    assert.equal(ran.out, '')
    assert.match(ran.notes, /^FILE:1: unknown: .*em1:network.* not known to this check/)
    assert.equal((await check('match in all\npas in all\n')).code, 1)
  })

  it('says ok, and takes warnings as faults with --strict', async () => {
    const text = 'rdr pass on em1 inet proto tcp to <t> port 443 -> 127.0.0.1 port 8443\n'
    const plain = await check(text)
    assert.deepEqual([plain.out, plain.code], ['FILE: ok\n', 0])
    assert.match(plain.notes, /FILE:1: warning: rdr pass/)
    assert.equal((await check(text, '--strict')).code, 1)
  })

  it('prints JSON for programs', async () => {
    const { out } = await check('rdr-anchor yori on\n', '--json')
    const { ok, problems } = JSON.parse(out) as {
      ok: boolean
      problems: { line: number }[]
    }
    assert.equal(ok, false)
    assert.equal(problems[0]?.line, 1)
  })
})
