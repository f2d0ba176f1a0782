/** One root, two machines: what is issued on one is taken on the other, by OpenSSL's word. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAuthority } from '../../../../ca/authority.js'
import { systemClock } from '../../../../src/core/clock.js'
import { needs } from '../../../support/needs.js'
import { startCli } from './ca-cli.js'
import type { CaCli } from './ca-cli.js'

const DAY_MS = 86_400_000

const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8' })
const modeOf = (path: string): number => statSync(path).mode & 0o777

async function issued(cli: CaCli, ...more: string[]): Promise<string> {
  const out = join(cli.folder, 'attic-ca')
  await cli.ca('issue', '--for', 'attic', '--out', out, ...more)
  return out
}

/** What a handshake on that machine would send for a name, and whether the root leads to it. */
async function verdictOn(cli: CaCli, name: string, root: string): Promise<boolean> {
  const authority = await openAuthority({ ...cli.options, clock: systemClock })
  const { leafPem, certPem } = authority.mint(name, systemClock.now())
  const [leaf, chain] = [join(cli.folder, 'leaf.pem'), join(cli.folder, 'chain.pem')]
  writeFileSync(leaf, leafPem)
  writeFileSync(chain, certPem)
  const words = ['-CAfile', root, '-untrusted', chain, '-verify_hostname', name, leaf]
  return spawnSync('openssl', ['verify', ...words]).status === 0
}

describe('an issuing CA for another gateway', () => {
  before(function () {
    needs(this, 'openssl')
  })

  it('names it, lives a month at most, and brings nothing of the root key', async () => {
    await using home = await startCli()
    await home.ca('init')
    const rootBefore = readFileSync(join(home.options.directory, 'issuing.crt'))
    const out = await issued(home)
    assert.deepEqual(readdirSync(out).sort(), ['issuing.crt', 'issuing.key', 'root.crt'])
    assert.equal(modeOf(join(out, 'issuing.key')), 0o600)
    assert.equal(modeOf(out), 0o700)
    const [crt, root] = [join(out, 'issuing.crt'), join(out, 'root.crt')]
    assert.match(openssl('x509', '-in', crt, '-noout', '-subject'), /attic/)
    assert.match(openssl('verify', '-CAfile', root, crt), /: OK/)
    const [from = '', to = ''] = openssl('x509', '-in', crt, '-noout', '-dates')
      .trim()
      .split('\n')
      .map((line) => line.replace(/.*=/, ''))
    assert.ok(Date.parse(to) - Date.parse(from) <= 30 * DAY_MS, `${from} ${to}`)
    const key = openssl(
      'pkey',
      '-in',
      join(home.options.directory, 'root.key'),
      '-pubout',
    )
    assert.notEqual(openssl('pkey', '-in', join(out, 'issuing.key'), '-pubout'), key)
    assert.equal(
      openssl('x509', '-in', crt, '-noout', '-checkend', '0').trim(),
      'Certificate will not expire',
    )
    assert.deepEqual(
      readFileSync(join(home.options.directory, 'issuing.crt')),
      rootBefore,
    )
  })

  it('is taken there, serves devices that trust the root, and is renewed by the next', async () => {
    await using home = await startCli()
    await using attic = await startCli()
    await home.ca('init')
    const out = await issued(home)
    const taken = await attic.ca('take', out)
    assert.match(taken.out.toString(), /Valid until/)
    assert.ok(!readdirSync(attic.options.directory).includes('root.key'))
    const root = join(home.options.directory, 'root.crt')
    assert.equal(await verdictOn(attic, 'api.openai.com', root), true)

    await assert.rejects(issued(home), /issuing\.key.*--force/)
    await issued(home, '--force', '--days', '7')
    const show = await attic.json('take', out)
    const until = Date.parse((show['issuing'] as { notAfter: string }).notAfter)
    assert.ok(until - Date.now() <= 7 * DAY_MS && until > Date.now())
    assert.equal(await verdictOn(attic, 'api.openai.com', root), true)
  })

  it('is refused where it does not belong, and nothing changes', async () => {
    await using home = await startCli()
    await using other = await startCli()
    await home.ca('init')
    await other.ca('init')
    const out = await issued(home)
    const before = readFileSync(join(other.options.directory, 'issuing.crt'))
    await assert.rejects(other.ca('take', out), /another root/)
    await assert.rejects(home.ca('take', out), /holds the root key/)
    writeFileSync(
      join(out, 'issuing.key'),
      openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'),
      { mode: 0o600 },
    )
    await using attic = await startCli()
    await assert.rejects(attic.ca('take', out), /is not the key of/)
    await assert.rejects(attic.ca('take', join(out, 'none')), /no such file/)
    assert.deepEqual(readFileSync(join(other.options.directory, 'issuing.crt')), before)
  })

  it('is not made for a name that is none, nor for longer than a month', async () => {
    await using home = await startCli()
    await home.ca('init')
    const to = ['--out', join(home.folder, 'x')]
    for (const name of ['', 'a b', '../up', 'ü', 'x'.repeat(33)])
      await assert.rejects(home.ca('issue', '--for', name, ...to), /1 to 32 letters/)
    for (const days of ['31', '2', '365'])
      await assert.rejects(
        home.ca('issue', '--for', 'attic', '--days', days, ...to),
        /3 to 30/,
      )
    assert.ok(!readdirSync(home.folder).includes('x'))
    await assert.rejects(
      home.ca('issue', '--for', 'attic', '--out', '/proc/x/y'),
      /cannot make \/proc\/x\/y/,
    )
    const wide = await home.json(
      'issue',
      '--for',
      'attic',
      '--permit',
      'bank.example',
      ...to,
    )
    assert.deepEqual(wide['notPermitted'], ['bank.example'])
  })
})
