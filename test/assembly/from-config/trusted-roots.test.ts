/** Whom YORI believes that it is a provider: asked of a process, with origins of three CAs. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { ChildYori } from '../../support/child-yori.js'
import { startOrigin } from '../../support/origins.js'
import { ask, get } from '../../support/proxied.js'
import { tempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'

const [OPENAI, ANTHROPIC, MISTRAL] = [
  'api.openai.com',
  'api.anthropic.com',
  'api.mistral.ai',
] as const

async function statusOf(yori: ChildYori, name: string): Promise<string> {
  const socket = await yori.tls(name)
  try {
    const request = get('/v1/models').replace(/host: \S+/i, `Host: ${name}`)
    return (await ask(socket, request)).slice(9, 12)
  } finally {
    socket.destroy()
  }
}

describe('a provider is believed', () => {
  it("by this Node's own roots and by what the operator adds, and by no others", async () => {
    await using folder = await tempFolder()
    const [public_, added, unknown] = ['Public', 'Added', 'Unknown'].map(
      (name) => new TestCa(`${name} Root`),
    ) as [TestCa, TestCa, TestCa]
    // How this Node is told of a root that it did not come with.
    writeFileSync(folder.file('public.pem'), public_.certificatePem)
    const serve = (ca: TestCa, name: string) =>
      startOrigin({ certificate: ca.issue({ names: [name] }) })
    await using openai = await serve(public_, OPENAI)
    await using anthropic = await serve(added, ANTHROPIC)
    await using mistral = await serve(unknown, MISTRAL)
    await using yori = await ChildYori.start({
      origins: { [OPENAI]: openai, [ANTHROPIC]: anthropic, [MISTRAL]: mistral },
      trust: [added],
      under: ['env', `NODE_EXTRA_CA_CERTS=${folder.file('public.pem')}`],
    })
    assert.equal(await statusOf(yori, OPENAI), '200')
    assert.equal(await statusOf(yori, ANTHROPIC), '200')
    assert.equal(await statusOf(yori, MISTRAL), '502')
  })
})
