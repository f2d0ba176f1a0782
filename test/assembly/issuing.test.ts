/** A provider that is switched on while YORI runs: its names are signed for, by OpenSSL's word. */
import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { ChildYori } from '../support/child-yori.js'
import { startOrigin } from '../support/origins.js'
import { runCli } from '../support/cli.js'
import { runProgram } from '../support/programs.js'
import { TestCa } from '../support/test-ca.js'
import { Yori } from '../support/yori.js'

const NAME = 'chatgpt.com'

/** What OpenSSL says of the chain that is shown for the name: `0 (ok)` is good. */
async function verdict(port: number, root: string, name = NAME): Promise<string> {
  const { stdout, stderr } = await runProgram('openssl', [
    ...['s_client', '-proxy', `127.0.0.1:${port}`, '-connect', `${name}:443`],
    ...['-servername', name, '-verify_hostname', name, '-x509_strict'],
    ...['-no-CAfile', '-no-CApath', '-no-CAstore', '-CAfile', root],
  ])
  return (
    /Verif\w+ (?:return code|error): *(.*)/.exec(`${stdout.toString()}${stderr}`)?.[1] ??
    stderr
  )
}

/** What a command said that was to end well. */
async function ran({ folder }: ChildYori, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(args, { cwd: folder.path })
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

/** It ends by 1 where something asks for a person. */
async function runStatus({ folder }: ChildYori): Promise<string> {
  const args = ['status', '--config', folder.file('yori.conf')]
  const { stdout, stderr } = await runCli(args, { cwd: folder.path })
  return stdout + stderr
}

describe('a provider that is switched to intercept', () => {
  it('is signed for after a SIGHUP, without a restart and without a new root', async () => {
    const ca = new TestCa()
    await using origin = await startOrigin({
      certificate: ca.issue({ names: [NAME] }),
    })
    const config = { endpoints_add: [{ domain: 'llm.home.arpa' }] }
    await using yori = await ChildYori.start({
      config: { ...config, providers: { 'openai-web': 'tunnel' } },
      origins: { [NAME]: origin },
      trust: [ca],
    })
    const root = yori.folder.file('state', 'yori-root.pem')
    const before = await readFile(root, 'utf8')
    assert.notEqual(await verdict(yori.port, root), '0 (ok)')

    const file = yori.folder.file('yori.conf')
    const written = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const next = { ...written, providers: { 'openai-web': 'intercept' } }
    await writeFile(`${file}.next`, JSON.stringify(next))
    await rename(`${file}.next`, file)
    const said = await runStatus(yori)
    assert.match(said, /not served yet: .*chatgpt\.com/)
    assert.match(said, /a reload \(SIGHUP\) makes an issuing CA for them by itself/)
    yori.cli.child.kill('SIGHUP')
    await yori.cli.printed(/"msg":"reloaded"/)

    assert.equal(await verdict(yori.port, root), '0 (ok)')
    assert.equal(await verdict(yori.port, root, 'llm.home.arpa'), '0 (ok)')
    assert.equal(await readFile(root, 'utf8'), before)
    assert.doesNotMatch(await runStatus(yori), /not served yet/)
  })

  it('waits where the root key is away, and status says what to type', async () => {
    const ca = new TestCa()
    await using origin = await startOrigin({
      certificate: ca.issue({ names: [NAME] }),
    })
    await using yori = await ChildYori.start({
      config: { providers: { 'openai-web': 'tunnel' } },
      origins: { [NAME]: origin },
      trust: [ca],
    })
    const file = yori.folder.file('yori.conf')
    const key = yori.folder.file('root.key')
    const phrase = yori.folder.file('phrase')
    await writeFile(phrase, 'a quiet evening at home\n', { mode: 0o600 })
    const args = ['--passphrase-file', phrase, '--out', key, '--remove', '--config', file]
    await ran(yori, 'ca', 'export', '--root-key', ...args)
    const written = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await writeFile(
      file,
      JSON.stringify({ ...written, providers: { 'openai-web': 'intercept' } }),
    )
    yori.cli.child.kill('SIGHUP')
    await yori.cli.printed(/"msg":"reloaded"/)
    const root = yori.folder.file('state', 'yori-root.pem')
    assert.notEqual(await verdict(yori.port, root), '0 (ok)')
    assert.match(
      await runStatus(yori),
      /not served yet: .*chatgpt\.com[^]*to serve them: `yori ca rotate --root-key FILE`/,
    )

    const open = ['--root-key', key, '--passphrase-file', phrase, '--config', file]
    await ran(yori, 'ca', 'rotate', ...open)
    await yori.cli.printed(/"msg":"the CA changed"/)
    assert.equal(await verdict(yori.port, root), '0 (ok)')
  })
})

describe('a configuration that is refused', () => {
  it('leaves an issuing CA for what is served on', async () => {
    const kept = 'api.openai.com'
    await using yori = await Yori.start({ config: { endpoints: [{ domain: kept }] } })
    const endpoints = [{ domain: 'llm.example.org' }]
    await assert.rejects(yori.reload({ endpoints }), {
      code: 'YORI_CA_NAME_NOT_PERMITTED',
    })
    const { authority } = yori.appliance.current
    await authority.reread()
    assert.deepEqual(authority.awaitingRotation, [])
    assert.equal(await verdict(yori.port, yori.rootFile, kept), '0 (ok)')
  })
})
