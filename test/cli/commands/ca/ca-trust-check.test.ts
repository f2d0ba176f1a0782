import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { stageNewRoot } from '../../../../ca/manage.js'
import { caSettingsOf } from '../../../../src/assembly/from-config/ca.js'
import { caCommand } from '../../../../src/cli/commands/ca/ca-command.js'
import { trustsNow } from '../../../../src/core/trust.js'
import { systemClock } from '../../../../src/core/clock.js'
import { behind, NAME, until } from '../../../support/proxied.js'
import type { Proxied } from '../../../support/proxied.js'

interface Checked {
  readonly text: string
  readonly exit: number
}

/** `yori ca trust-check` against a YORI of this process. */
async function check(
  { yori }: Proxied,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Checked> {
  let text = ''
  let exit = 0
  const say = (piece: string | Uint8Array): void => {
    text += String(piece)
  }
  const { config } = yori.appliance.current
  const command = caCommand({
    caOptions: () => Promise.resolve(caSettingsOf(config)),
    proxyUrl: () => yori.url,
    clock: systemClock,
    print: say,
    note: say,
    env,
    exit: (code) => {
      exit = code
    },
  })
  await command.parseAsync(['trust-check', ...args], { from: 'user' })
  return { text, exit }
}

const provider = (): Promise<Proxied> =>
  behind((_request, response) => void response.end('{"from":"the provider"}'))

describe('yori ca trust-check', () => {
  it('says that it works when this machine is led through YORI and trusts it', async () => {
    await using setup = await provider()
    const { yori, origin } = setup
    const env = { HTTPS_PROXY: yori.url, SSL_CERT_FILE: yori.rootFile }
    const { text, exit } = await check(setup, [], env)
    assert.match(text, /^Asked for api\.openai\.com by the proxy http[^]*It works/)
    assert.equal(exit, 0)
    assert.equal(origin.accepted, 0)
  })

  it('says that the certificate is not trusted, each time anew, and sends nothing', async () => {
    await using setup = await provider()
    const { yori, origin } = setup
    const args = ['--proxy', yori.url]
    for (const _ of [1, 2, 3, 4]) {
      const { text, exit } = await check(setup, args)
      assert.match(text, /Not trusted \(.*\): the certificate is by .*YORI.*Issuing CA/)
      assert.equal(exit, 1)
    }
    assert.equal(origin.accepted, 0)
    assert.deepEqual(await yori.rows('exchanges'), [])
    // Each came on a connection that had asked our own site before.
    await until(async () => (await yori.rows('connections')).length === 4)
    for (const { coverage } of await yori.rows('connections'))
      assert.equal(coverage, 'failed')
    await until(() => yori.appliance.trust.entries()[0]?.refusedAt !== undefined)
    assert.equal(yori.appliance.trust.entries()[0]?.trustedAt, undefined)
    const works = await check(setup, [...args, '--cacert', yori.rootFile])
    assert.match(works.text, /It works/)
  })

  it('says that somebody else answered when this machine is not led through YORI', async () => {
    await using setup = await provider()
    const { yori } = setup
    // The endpoint is left alone: what answers in its name is the provider.
    await yori.reload({ endpoints: [{ domain: NAME, route: 'tunnel' }] })
    const file = yori.folder.file('trusted-0.pem')
    const args = ['--proxy', yori.url, '--cacert', file, '--name', NAME]
    const { text, exit } = await check(setup, args)
    assert.match(text, /Not led through YORI: somebody else answered.*Test Root/)
    assert.equal(exit, 1)
  })

  it('says why there is no answer, and hides the password of a proxy', async () => {
    await using setup = await provider()
    const proxy = 'http://kim:secret@127.0.0.1:9'
    const { text, exit } = await check(setup, [
      '--proxy',
      proxy,
      '--site',
      'http://127.0.0.1:9',
    ])
    assert.match(text, /own site did not answer[^]*No answer: .*ECONNREFUSED/)
    assert.doesNotMatch(text, /secret/)
    assert.equal(exit, 1)
  })

  it('tests a staged root', async () => {
    await using setup = await provider()
    const { yori } = setup
    const args = ['--next', '--proxy', yori.url, '--cacert']
    const none = await check(setup, [...args, yori.rootFile])
    assert.match(none.text, /cannot be tested now/)
    assert.equal(none.exit, 1)

    const { authority, config } = yori.appliance.current
    const settings = { ...caSettingsOf(config), clock: systemClock }
    const next = (await stageNewRoot(settings)).next
    await authority.reread()
    const file = yori.folder.file('next.pem')
    await writeFile(file, next?.pem ?? '')
    const old = await check(setup, [...args, yori.rootFile])
    assert.match(old.text, /Not trusted/)
    const ready = await check(setup, [...args, file])
    assert.match(ready.text, /It works/)
    const fingerprint = next?.x509.fingerprint256
    const entry = yori.appliance.trust.entries().find(({ root }) => root === fingerprint)
    assert.ok(entry !== undefined && trustsNow(entry))
  })

  it('tells programs the same', async () => {
    await using setup = await provider()
    const { yori } = setup
    const { text } = await check(setup, [
      '--json',
      '--proxy',
      yori.url,
      '--cacert',
      yori.rootFile,
    ])
    const { rootFingerprint: root } = yori.appliance.current.authority
    assert.deepEqual(JSON.parse(text), {
      works: true,
      name: NAME,
      proxy: yori.url,
      roots: yori.rootFile,
      kind: 'works',
      root,
    })
  })
})
