import assert from 'node:assert/strict'
import { chmod, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import type { TrustEntry } from '../../../../src/core/trust.js'
import { trustPath, writeTrust } from '../../../../src/net/trust-file.js'
import { Secret } from '../../../../src/core/secret.js'
import { run } from '../../../ca/support/ca.js'
import { startCli } from './ca-cli.js'

describe('yori ca', () => {
  it('init makes a CA, and the second time says that there is one', async () => {
    await using cli = await startCli()
    const first = await cli.ca('init', '--config', '/etc/x.conf')
    const root = await readFile(join(cli.options.directory, 'root.crt'), 'utf8')
    const print = new X509Certificate(root).fingerprint256
    assert.match(first.out.toString(), /^Made a CA in /)
    assert.ok(first.out.toString().includes(print))
    assert.deepEqual(cli.asked, ['/etc/x.conf'])
    const second = await cli.json('init')
    assert.deepEqual(second, {
      created: false,
      directory: cli.options.directory,
      sha256: print,
    })
    assert.equal(await readFile(join(cli.options.directory, 'root.crt'), 'utf8'), root)
    assert.match((await cli.ca('init')).out.toString(), /already; nothing was changed/)
  })

  it('init says what is wrong with a damaged CA and changes nothing', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    await rm(join(cli.options.directory, 'root.crt'))
    await assert.rejects(cli.ca('init'), { code: 'YORI_CA_MISSING' })
    assert.equal((await readdir(cli.options.directory)).length, 3)
  })

  it('show tells what each certificate can sign', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const text = (await cli.ca('show')).out.toString()
    const root = await readFile(join(cli.options.directory, 'root.crt'), 'utf8')
    assert.ok(text.includes(new X509Certificate(root).fingerprint256))
    assert.match(text, /Issuing CA[^]*Can sign +api\.openai\.com\n/)
    assert.match(text, /Neither can sign for an IP address/)
    assert.ok(!text.includes('PRIVATE KEY-----'))
  })

  it('show tells what a new endpoint would cost', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    cli.options = {
      ...cli.options,
      issuedNames: ['api.openai.com', 'api.anthropic.com', '*.example.com'],
    }
    const { names } = await cli.json('show')
    assert.deepEqual(names, {
      served: ['api.openai.com'],
      needRotation: ['api.anthropic.com'],
      needNewRoot: ['example.com'],
    })
    const text = (await cli.ca('show')).out.toString()
    assert.match(text, /Not yet +api\.anthropic\.com: run `yori ca rotate`/)
    assert.match(text, /Not possible +example\.com: tunnelled/)
  })

  it('show and export say how to make a CA when there is none, and make nothing', async () => {
    await using cli = await startCli()
    for (const command of ['show', 'export'])
      await assert.rejects(cli.ca(command), {
        code: 'YORI_CA_MISSING',
        message: /`yori ca init` makes one/,
      })
    assert.deepEqual(await readdir(cli.folder), [])
  })

  it('export prints the root as PEM and as DER', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const root = await readFile(join(cli.options.directory, 'root.crt'), 'utf8')
    assert.equal((await cli.ca('export')).out.toString(), root)
    const der = (await cli.ca('export', '--format', 'der')).out
    assert.equal(
      new X509Certificate(der).toString(),
      new X509Certificate(root).toString(),
    )
  })

  it('export overwrites a file only by force', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const out = join(cli.folder, 'root.pem')
    await cli.ca('export', '--out', out)
    const root = await readFile(out, 'utf8')
    await writeFile(out, 'mine')
    await assert.rejects(cli.ca('export', '--out', out), {
      message: /is there already; --force overwrites it/,
    })
    assert.equal(await readFile(out, 'utf8'), 'mine')
    await cli.ca('export', '--out', out, '--force')
    assert.equal(await readFile(out, 'utf8'), root)
  })

  it('export --format env prints what a shell evaluates, and writes the files it names', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const folder = join(cli.folder, "it's trust")
    const { out, notes } = await cli.ca(
      'export',
      '--format',
      'env',
      '--trust-dir',
      folder,
    )
    const script = `${out.toString()}cat "$NODE_EXTRA_CA_CERTS"; tail -n 1 "$SSL_CERT_FILE"`
    const shell = await run('sh', ['-c', script])
    const root = await readFile(join(cli.options.directory, 'root.crt'), 'utf8')
    assert.equal(shell.stdout, `${root}-----END CERTIFICATE-----\n`)
    assert.ok(notes.includes(folder))
  })

  it('export makes each other form from the same root', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const root = await readFile(join(cli.options.directory, 'root.crt'), 'utf8')
    const of = async (...flags: string[]): Promise<Buffer> =>
      (await cli.ca('export', '--format', ...flags)).out
    assert.ok((await of('bundle')).toString().endsWith(root))
    assert.match((await of('mobileconfig')).toString(), /com\.apple\.security\.root/)
    const store = join(cli.folder, 'trust.p12')
    await cli.ca('export', '--format', 'p12', '--store-password', 'x y', '--out', store)
    const read = await run('openssl', ['pkcs12', '-in', store, '-passin', 'pass:x y'])
    assert.ok(read.stdout.includes(root.trim()), read.stderr)
    const fish = (await of('env', '--shell', 'fish')).toString()
    assert.match(fish, /^set -gx NODE_EXTRA_CA_CERTS '/)
    await assert.rejects(cli.ca('export', '--next'), { message: /no root is staged/ })
  })

  it('rotate makes a new issuing CA and says what it means for devices', async () => {
    await using cli = await startCli()
    assert.match((await cli.ca('rotate')).out.toString(), /There was no CA: made one/)
    const before = await readFile(join(cli.options.directory, 'issuing.crt'), 'utf8')
    cli.options = { ...cli.options, issuedNames: ['api.openai.com', 'llm.example.com'] }
    const text = (await cli.ca('rotate')).out.toString()
    const after = await readFile(join(cli.options.directory, 'issuing.crt'), 'utf8')
    assert.notEqual(after, before)
    assert.match(text, /Devices need to do nothing/)
    assert.ok(text.includes(new X509Certificate(after).fingerprint256))
    assert.match(text, /Not possible under this root: llm\.example\.com/)
    assert.equal((await cli.json('rotate'))['kind'], 'rotated')
    await assert.rejects(cli.ca('rotate', '--activate'), { message: /go with --root/ })
  })

  it('rotate asks for the passphrase only when it is needed', async () => {
    await using cli = await startCli()
    cli.options = { ...cli.options, passphrase: new Secret('right') }
    await cli.ca('init')
    await cli.ca('rotate')
    assert.deepEqual(cli.questions, [])
    const { passphrase: _, ...without } = cli.options
    cli.options = without
    await assert.rejects(cli.ca('rotate'), { code: 'YORI_CA_PASSPHRASE' })
    cli.typed = 'wrong'
    await assert.rejects(cli.ca('rotate'), { code: 'YORI_CA_PASSPHRASE' })
    cli.typed = 'right'
    await cli.ca('rotate')
    assert.equal(cli.questions.length, 3)
    const file = await cli.file('passphrase', 'right\nsecond line\n')
    await cli.ca('rotate', '--passphrase-file', file)
    assert.equal(cli.questions.length, 3)
    await chmod(file, 0o640)
    await assert.rejects(cli.ca('rotate', '--passphrase-file', file), {
      code: 'YORI_CA_KEY_EXPOSED',
      message: /has mode 0640.*chmod 0600/,
    })
  })

  it('rotate --root stages, tells, cancels and activates', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    assert.match(
      (await cli.ca('rotate', '--root', '--status')).out.toString(),
      /No root is staged/,
    )
    await assert.rejects(cli.ca('rotate', '--root', '--at', 'yesterday'), {
      message: /--at wants a date to come/,
    })
    const at = new Date(Date.now() + 30 * 86_400_000).toISOString()
    const staged = (await cli.ca('rotate', '--root', '--at', at)).out.toString()
    const next = (await cli.ca('export', '--next')).out.toString()
    const sha256 = new X509Certificate(next).fingerprint256
    assert.ok(staged.includes(sha256))
    assert.match(staged, /It takes over by itself at \d{4}-\d\d-\d\d \d\d:\d\d /)
    assert.deepEqual(await cli.json('rotate', '--root', '--status'), {
      staged: true,
      sha256,
      switchAt: at,
      notReady: [],
    })
    const shown = at.replace('T', ' ').slice(0, 'YYYY-MM-DD HH:MM'.length)
    assert.match(
      (await cli.ca('show')).out.toString(),
      new RegExp(`Staged root.* ${shown} `),
    )
    await cli.ca('rotate', '--root', '--cancel')
    await cli.ca('rotate', '--root')
    const again = (await cli.ca('export', '--next')).out.toString()
    assert.notEqual(again, next)
    await cli.ca('rotate', '--root', '--activate')
    assert.equal((await cli.ca('export')).out.toString(), again)
  })

  it('rotate --root --status and --activate name the devices that are not ready', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    await cli.ca('rotate', '--root')
    const { root, staged } = (await cli.json('show')) as Record<
      string,
      { sha256: string }
    >
    const one = (device: string, ...roots: (string | undefined)[]): TrustEntry[] =>
      roots.map((sha256 = '') => ({ device, ip: device, root: sha256, trustedAt: 1 }))
    await writeTrust(trustPath(cli.folder), [
      ...one('10.0.0.5', root?.sha256, staged?.sha256),
      ...one('10.0.0.6', root?.sha256),
    ])
    const status = await cli.json('rotate', '--root', '--status')
    assert.deepEqual(status['notReady'], ['10.0.0.6'])
    const { out } = await cli.ca('rotate', '--root', '--activate')
    assert.match(out.toString(), /Not ready, as far as is known: 10\.0\.0\.6\./)
  })

  it('export --root-key takes the key away, and import brings it back', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const out = join(cli.folder, 'paper.key')
    const file = await cli.file('passphrase', 'on paper')
    const take = ['export', '--root-key', '--remove', '--passphrase-file', file]
    await assert.rejects(cli.ca('export', '--root-key', '--remove', '--out', out), {
      code: 'YORI_CA_PASSPHRASE',
    })
    await assert.rejects(cli.ca(...take), { message: /give --out/ })
    const { notes } = await cli.ca(...take, '--out', out)
    assert.match(notes, /not on this machine any more/)
    assert.equal(((await stat(out)).mode & 0o777).toString(8), '600')
    assert.match(await readFile(out, 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/)
    assert.ok(!(await readdir(cli.options.directory)).includes('root.key'))
    assert.match((await cli.ca('show')).out.toString(), /Private key not on this machine/)
    await assert.rejects(cli.ca('rotate'), {
      code: 'YORI_CA_MISSING',
      message: /--root-key/,
    })
    await cli.ca('rotate', '--root-key', out, '--passphrase-file', file)
    await cli.ca('import', '--root-key', out, '--passphrase-file', file)
    cli.typed = 'on paper'
    await cli.ca('rotate')
  })

  it('export --root-key keeps the key when its copy cannot be written', async () => {
    await using cli = await startCli()
    await cli.ca('init')
    const file = await cli.file('passphrase', 'on paper')
    const out = await cli.file('taken', 'mine')
    await assert.rejects(
      cli.ca('export', '--root-key', '--remove', '--passphrase-file', file, '--out', out),
      { message: /is there already/ },
    )
    assert.ok((await readdir(cli.options.directory)).includes('root.key'))
    assert.equal(await readFile(out, 'utf8'), 'mine')
  })

  it('import takes a root from elsewhere, and stages it where there is a CA', async () => {
    await using cli = await startCli()
    const key = await cli.file('home.key', '')
    const cert = join(cli.folder, 'home.crt')
    const made = await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Home CA'],
      ...['-keyout', key, '-out', cert, '-days', '300'],
    ])
    assert.equal(made.code, 0, made.stderr)
    const text = (await cli.ca('import', '--cert', cert, '--key', key)).out.toString()
    const sha256 = new X509Certificate(await readFile(cert)).fingerprint256
    assert.ok(text.includes(sha256))
    assert.match((await cli.ca('show')).out.toString(), /carries no name constraints/)
    await rm(cli.options.directory, { recursive: true })
    await cli.ca('init')
    assert.deepEqual(await cli.json('import', '--cert', cert, '--key', key), {
      kind: 'staged',
      sha256,
    })
    await chmod(key, 0o644)
    await assert.rejects(cli.ca('import', '--cert', cert, '--key', key), {
      code: 'YORI_CA_KEY_EXPOSED',
    })
    await assert.rejects(cli.ca('import', '--cert', cert), {
      message: /give --cert and --key/,
    })
  })
})
