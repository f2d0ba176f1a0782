/** The state in one file and back, from a YORI that runs; and what a restore refuses. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { openAuthority } from '../../../../ca/authority.js'
import { loadConfig } from '../../../../config/load.js'
import type { Config } from '../../../../config/schema.js'
import { backupCommand, restoreCommand } from '../../../../src/cli/commands/run/backup.js'
import { caCommand } from '../../../../src/cli/commands/ca/ca-command.js'
import { InstanceLock } from '../../../../src/cli/instance.js'
import { systemClock } from '../../../../src/core/clock.js'
import { closed, startStore, verdictOf } from '../../../audit/support.js'
import { needs } from '../../../support/needs.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

const elsewhere = (config: Config, database: string | undefined): Config =>
  database === undefined ? config : { ...config, audit: { ...config.audit, database } }

describe('yori backup and yori restore', () => {
  let folder: TempFolder
  let file: string
  const ca = (state: string) => ({
    ...{ directory: folder.file(`${state}/ca`), issuedNames: ['api.openai.com'] },
    clock: systemClock,
  })
  /** By the state folder, where its record is when it is not in there. */
  const records = new Map<string, string>()
  before(async () => {
    folder = await tempFolder()
    file = folder.file('yori.tar.gz')
    await openAuthority(ca('one'))
  })
  after(() => folder[Symbol.asyncDispose]())

  const run = async (what: 'backup' | 'restore', state: string, ...args: string[]) => {
    let said = ''
    const database = records.get(state)
    const loaded = loadConfig({
      ...{ path: undefined, env: {}, cwd: folder.path, searched: [] },
      stateDir: folder.file(state),
    })
    assert.equal(loaded.kind, 'ok')
    const deps = {
      ...{
        config: () => elsewhere(loaded.config, database),
        version: '1.2.3',
        now: () => Date.now(),
      },
      print: (text: string) => (said += text),
    }
    const command = what === 'backup' ? backupCommand(deps) : restoreCommand(deps)
    await command.parseAsync(args, { from: 'user' })
    return said
  }
  const root = (state: string): string =>
    readFileSync(folder.file(`${state}/ca/root.crt`), 'utf8')

  it('keeps CA, record and household of one that runs, for its owner alone', async () => {
    await using store = await startStore(folder.file('one/audit.db'))
    using _lock = InstanceLock.take(folder.file('one'))
    store.exchangeOpened(closed({ requestId: 'kept' }))
    store.exchangeClosed(closed({ requestId: 'kept' }))
    await store.flush()
    writeFileSync(folder.file('one/control.token'), 'secret', { mode: 0o600 })
    assert.match(await run('backup', 'one', file), /files are in .*yori\.tar\.gz/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' })
    assert.match(listed, /^state\/audit\.db$/m)
    const manifest = execFileSync('tar', ['-xzOf', file, 'manifest.json'])
    const { files } = JSON.parse(String(manifest)) as { files: Record<string, string> }
    for (const [name, sum] of Object.entries(files)) {
      const content = execFileSync('tar', ['-xzOf', file, name])
      const said = execFileSync('sha256sum', { input: content, encoding: 'utf8' })
      assert.equal(said.slice(0, 64), sum, name)
    }
    assert.doesNotMatch(listed, /-wal|\.sock|instance/)
    await assert.rejects(run('backup', 'one', file), /is there already; --force/)
  })

  for (const [how, from, to] of [
    ['in the state folder', 'beside', 'beside-again'],
    ['elsewhere', 'apart', 'apart-again'],
  ] as const)
    it(`keeps a record ${how} with what vouches for it, while heads are signed`, async () => {
      if (how === 'elsewhere')
        for (const state of [from, to])
          records.set(state, folder.file(`records-of-${state}/audit.db`))
      const at = (state: string): string =>
        records.get(state) ?? folder.file(`${state}/audit.db`)
      mkdirSync(folder.file(from), { recursive: true })
      const archive = folder.file(`${from}.tar.gz`)
      {
        await using store = await startStore(at(from))
        store.exchangeClosed(closed())
        await store.flush()
        const kept = run('backup', from, archive)
        store.exchangeClosed(closed())
        // Its end signs a head.
        await store.stop()
        await kept
      }
      await run('restore', to, archive)
      const { findings, rows } = verdictOf(at(to))
      assert.deepEqual(findings, [])
      assert.ok(rows >= 1)
      await (await startStore(at(to))).stop()
      assert.deepEqual(verdictOf(at(to)).findings, [], 'and goes on by the same key')
    })

  it('brings it back into another folder, as it was', async () => {
    assert.match(await run('restore', 'two', file), /\(YORI 1\.2\.3\) are back in/)
    assert.equal(root('two'), root('one'))
    for (const name of ['ca/root.key', 'control.token', 'audit.db'])
      assert.equal(statSync(folder.file(`two/${name}`)).mode & 0o777, 0o600, name)
    assert.equal(statSync(folder.file('two/ca')).mode & 0o777, 0o700)
    const db = new Sqlite(folder.file('two/audit.db'), { readonly: true })
    try {
      assert.equal(db.prepare('SELECT request_id FROM exchanges').pluck().get(), 'kept')
    } finally {
      db.close()
    }
    // The keys still sign: it is opened as at a start.
    await openAuthority(ca('two'))
  })

  it('refuses while YORI runs, over another CA, and what is no backup', async () => {
    {
      using _lock = InstanceLock.take(folder.file('two'))
      await assert.rejects(run('restore', 'two', file), /another YORI uses/)
    }
    await openAuthority(ca('three'))
    const before = root('three')
    await assert.rejects(
      run('restore', 'three', file),
      /has another CA \(SHA-256 [\dA-F:]{95}\)/,
    )
    assert.equal(root('three'), before)
    writeFileSync(folder.file('noise'), 'noise')
    await assert.rejects(
      run('restore', 'four', folder.file('noise')),
      /is no backup of yori/,
    )
    const parts = folder.file('parts')
    mkdirSync(parts)
    execFileSync('tar', ['-xzf', file, '-C', parts])
    appendFileSync(join(parts, 'state/control.token'), '!')
    const bad = folder.file('bad.tar.gz')
    execFileSync('tar', ['-czf', bad, '-C', parts, 'manifest.json', 'state'])
    await assert.rejects(run('restore', 'four', bad), /is damaged: state\/control\.token/)
    execFileSync('tar', [
      '-czPf',
      bad,
      '--transform',
      's,^,../,',
      '-C',
      parts,
      'manifest.json',
    ])
    await assert.rejects(run('restore', 'four', bad), /holds what no backup/)
    assert.ok(!existsSync(folder.file('four/control.token')))
  })

  it('gives a profile that openssl verifies as signed, and lists who is missing', async function () {
    needs(this, 'openssl')
    const [cert, key] = [folder.file('office.crt'), folder.file('office.key')]
    const openssl = (...args: string[]): Buffer =>
      execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Office'],
      ...['-addext', 'extendedKeyUsage=emailProtection,codeSigning', '-days', '2'],
      ...['-out', cert, '-keyout', key],
    )
    const out = folder.file('y.mobileconfig')
    let said = ''
    const command = (...args: string[]) =>
      caCommand({
        caOptions: () => ({ directory: folder.file('one/ca'), issuedNames: [] }) as never,
        stateDir: () => folder.file('one'),
        names: () => new Map([['02:00:5e:00:00:20', "Bo's laptop"]]),
        clock: systemClock,
        print: (text) => (said += String(text)),
        note: () => undefined,
      }).parseAsync(args, { from: 'user' })
    const form = ['export', '--format', 'mobileconfig', '--out', out]
    await command(...form, '--sign-with', `${cert},${key}`)
    const plain = openssl(
      ...[
        'cms',
        '-verify',
        '-inform',
        'DER',
        '-in',
        out,
        '-CAfile',
        cert,
        '-purpose',
        'any',
      ],
    ).toString()
    assert.match(plain, /com\.apple\.security\.root/)
    const unsigned = folder.file('plain.mobileconfig')
    await command('export', '--format', 'mobileconfig', '--out', unsigned)
    const withoutIds = (text: string): string => text.replace(/[\dA-Fa-f-]{36}/g, '')
    assert.equal(withoutIds(plain), withoutIds(readFileSync(unsigned, 'utf8')))
    await assert.rejects(
      command(...form, '--force', '--sign-with', 'one'),
      /two files: CERT,KEY/,
    )
    await assert.rejects(
      command(...form, '--force', '--sign-with', `${cert},${cert}`),
      /could not sign/,
    )
    said = ''
    await command('trust', 'list', '--missing')
    assert.match(
      said,
      /not seen Bo's laptop \(02:00:5e:00:00:20\)\n1 of 1 known devices are missing/,
    )
  })
})
