/** What is wrong with the files of a CA: one clear line, an exit code, nothing overwritten. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { chmod, readFile, readdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openAuthority } from '../../ca/authority.js'
import { issueRoot } from '../../ca/issue.js'
import { DAY_MS } from '../../ca/profile.js'
import { systemClock } from '../../src/core/clock.js'
import { Secret } from '../../src/core/secret.js'
import { runCli } from '../support/cli.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

/** Every file with its mode and content. */
async function print(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name)
    hash.update(`${name} `).update(await readFile(path))
  }
  return hash.digest('hex')
}

interface Bad {
  readonly what: string
  readonly spoil: (at: (name: string) => string) => Promise<void>
  readonly says: RegExp
  readonly passphrase?: true
}

const otherKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString()

const bad: readonly Bad[] = [
  {
    what: 'a key that others can read',
    spoil: (at) => chmod(at('issuing.key'), 0o644),
    says: /issuing\.key has mode 0644.*chmod 0600 .*\(YORI_CA_KEY_EXPOSED\)/,
  },
  {
    what: 'a missing key',
    spoil: (at) => unlink(at('issuing.key')),
    says: /issuing\.key is missing.*restore it.*\(YORI_CA_MISSING\)/,
  },
  {
    what: 'a key of another certificate',
    spoil: (at) => writeFile(at('root.key'), otherKey()),
    says: /root\.key does not belong to its certificate \(YORI_CA_UNUSABLE\)/,
  },
  {
    what: 'a certificate that is cut off',
    spoil: async (at) =>
      writeFile(at('root.crt'), (await readFile(at('root.crt'))).subarray(0, 200)),
    says: /root\.crt is no whole PEM certificate: restore it.*\(YORI_CA_UNUSABLE\)/,
  },
  {
    what: 'a key that is cut off',
    spoil: async (at) =>
      writeFile(at('issuing.key'), (await readFile(at('issuing.key'))).subarray(0, 80)),
    says: /issuing\.key is no whole PEM private key.*\(YORI_CA_UNUSABLE\)/,
  },
  {
    what: 'a wrong passphrase',
    spoil: async () => undefined,
    says: /passphrase does not open .*root\.key.*\(YORI_CA_PASSPHRASE\)/,
    passphrase: true,
  },
]

async function startCa(folder: TempFolder, passphrase?: Secret): Promise<void> {
  const options = { directory: folder.file('state/ca'), issuedNames: ['localhost'] }
  const sealed = passphrase === undefined ? {} : { passphrase }
  await openAuthority({ ...options, ...sealed, clock: systemClock })
}

/** A root of the year 2024, for a month. */
async function writeExpired(cert: string, key: string): Promise<void> {
  const subject = { organization: 'Home', permitted: undefined, lifeMs: 30 * DAY_MS }
  const root = await issueRoot({ subject, nowMs: Date.UTC(2024, 0, 1) })
  await writeFile(cert, root.certificate.pem)
  await writeFile(key, root.key.export({ format: 'pem', type: 'pkcs8' }))
}

describe('the command line', () => {
  for (const { what, spoil, says, passphrase } of bad)
    it(`says what is wrong with ${what}, and overwrites nothing`, async () => {
      await using folder = await tempFolder()
      await startCa(folder, passphrase === true ? new Secret('right') : undefined)
      const wrong = folder.file('wrong')
      await writeFile(wrong, 'wrong\n', { mode: 0o600 })
      await spoil((name) => folder.file('state/ca', name))
      const before = await print(folder.file('state/ca'))
      const flags = passphrase === true ? ['--passphrase-file', wrong] : []
      const env = { YORI_STATE_DIR: folder.file('state') }
      for (const command of passphrase === true ? [['rotate']] : [['rotate'], ['init']]) {
        const args = ['ca', ...command, ...flags]
        const { status, stdout, stderr } = await runCli(args, { cwd: folder.path, env })
        assert.match(stderr, says)
        assert.equal(stderr.trim().split('\n').length, 1, stderr)
        assert.deepEqual([status, stdout], [4, ''])
      }
      assert.equal(await print(folder.file('state/ca')), before)
    })

  for (const [what, args, says] of [
    ['that expired', [], /expired at .*2024/],
    ['of a short RSA key', ['-newkey', 'rsa:1024'], /RSA key of less than 2048 bits/],
    ['whose key is another’s', [], /does not belong to its certificate/],
    ['whose key others can read', [], /home\.key has mode 0644/],
    ['that is cut off', [], /home\.crt is no whole PEM certificate/],
    ['that is not there', [], /cannot read .*home\.crt: there is no such file/],
  ] as const)
    it(`refuses to import a root ${what}, and changes nothing`, async () => {
      await using folder = await tempFolder()
      await startCa(folder)
      const [cert, key] = [folder.file('home.crt'), folder.file('home.key')]
      const made = await runProgram('openssl', [
        ...[
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          ...args,
          '-nodes',
          '-subj',
          '/CN=Home',
        ],
        ...['-keyout', key, '-out', cert, '-addext', 'keyUsage=critical,keyCertSign'],
      ])
      assert.equal(made.status, 0, made.stderr)
      await chmod(key, 0o600)
      if (what === 'that expired') await writeExpired(cert, key)
      if (what === 'whose key is another’s') await writeFile(key, otherKey())
      if (what === 'whose key others can read') await chmod(key, 0o644)
      if (what === 'that is cut off')
        await writeFile(cert, (await readFile(cert)).subarray(0, 300))
      if (what === 'that is not there') await unlink(cert)
      const before = await print(folder.file('state/ca'))
      const env = { YORI_STATE_DIR: folder.file('state') }
      const given = ['ca', 'import', '--cert', cert, '--key', key]
      const { status, stdout, stderr } = await runCli(given, { cwd: folder.path, env })
      assert.match(stderr, says)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
      assert.deepEqual([status, stdout], [4, ''])
      assert.equal(await print(folder.file('state/ca')), before)
    })
})
