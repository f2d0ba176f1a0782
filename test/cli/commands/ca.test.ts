import assert from 'node:assert/strict'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import type { CaOptions } from '../../../ca/show.js'
import { caCommand } from '../../../src/cli/commands/ca.js'
import { TestClock, run, tempFolder } from '../../ca/support/ca.js'

interface Cli extends AsyncDisposable {
  readonly folder: string
  /** Runs `yori ca ...`; rejects as the command does. */
  ca(...args: string[]): Promise<{ out: Buffer; notes: string }>
  json(...args: string[]): Promise<Record<string, unknown>>
  asked: (string | undefined)[]
  options: CaOptions
}

async function startCli(): Promise<Cli> {
  const temp = await tempFolder()
  const clock = new TestClock()
  const asked: (string | undefined)[] = []
  const cli: Cli = {
    folder: temp.path,
    asked,
    options: { directory: join(temp.path, 'ca'), issuedNames: ['api.openai.com'] },
    async ca(...args) {
      const out: Uint8Array[] = []
      let notes = ''
      const command = caCommand({
        caOptions: (path) => {
          asked.push(path)
          return Promise.resolve(cli.options)
        },
        clock,
        print: (output) => out.push(Buffer.from(output as string)),
        note: (text) => {
          notes += text
        },
      })
      await command.parseAsync(args, { from: 'user' })
      return { out: Buffer.concat(out), notes }
    },
    async json(...args) {
      return JSON.parse((await cli.ca(...args, '--json')).out.toString()) as Record<
        string,
        unknown
      >
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  }
  return cli
}

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
})
