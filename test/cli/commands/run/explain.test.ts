import assert from 'node:assert/strict'
import { explainCommand } from '../../../../src/cli/commands/run/explain.js'
import { errorCodes } from '../../../../src/core/errors.js'

async function explained(...args: string[]): Promise<string> {
  let said = ''
  const command = explainCommand((text) => (said += text)).exitOverride()
  await command.parseAsync(args, { from: 'user' })
  return said
}

describe('yori explain', () => {
  it('says what a code means and what to do, however it is typed', async () => {
    const said = await explained('upstream-untrusted')
    assert.match(said, /^YORI_UPSTREAM_UNTRUSTED {2}certificate did not verify$/m)
    assert.match(said, /^ {2}do +never switch verification off/m)
    assert.equal(await explained('YORI_UPSTREAM_UNTRUSTED'), said)
  })

  it('names the near one of a code that is none', async () => {
    await assert.rejects(explained('YORI_MISDIRECTD'), /did you mean YORI_MISDIRECTED\?/)
  })

  it('tells all of them for programs', async () => {
    const told = (await explained('--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { code: string; do: string })
    assert.deepEqual(
      told.map(({ code }) => code),
      errorCodes,
    )
    for (const one of told) assert.ok(one.do.length > 5, one.code)
  })
})
