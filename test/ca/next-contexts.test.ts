import assert from 'node:assert/strict'
import { NextContexts } from '../../ca/next-contexts.js'
import { ManualClock } from '../support/manual-clock.js'
import { TestCa } from '../support/test-ca.js'

const issued = new TestCa().issue({ names: ['api.openai.com'] })
const pair = { cert: issued.certificatePem, key: issued.keyPem }

describe('contexts for tests of the staged root', () => {
  const setup = (
    minted: typeof pair | undefined,
  ): {
    authority: {
      staged: { rootPem: string; fingerprint: string; switchAtMs: undefined } | undefined
    }
    clock: ManualClock
    contexts: NextContexts
    mints: () => number
  } => {
    let mints = 0
    const clock = new ManualClock()
    const authority = {
      staged: { rootPem: '', fingerprint: 'AA', switchAtMs: undefined },
    }
    const mint = (): Promise<typeof minted> => {
      mints += 1
      return Promise.resolve(minted)
    }
    const contexts = new NextContexts(authority, { mint }, clock)
    return { authority, clock, contexts, mints: () => mints }
  }

  it('are made once in five minutes, however many ask', async () => {
    const { clock, contexts, mints, authority } = setup(pair)
    const ask = (): Promise<unknown> => contexts.contextFor('api.openai.com')
    const first = await Promise.all(Array.from({ length: 50 }, ask))
    assert.equal(new Set(first).size, 1)
    assert.equal(mints(), 1)
    clock.advance(5 * 60_000)
    await ask()
    assert.equal(mints(), 2)
    authority.staged = { rootPem: '', fingerprint: 'BB', switchAtMs: undefined }
    assert.equal(contexts.get('api.openai.com'), undefined)
    await ask()
    assert.equal(mints(), 3)
  })

  it('are not tried again and again when the key cannot be used, nor without a root', async () => {
    const { contexts, mints, authority } = setup(undefined)
    for (const _ of [1, 2, 3])
      assert.equal(await contexts.contextFor('api.openai.com'), undefined)
    assert.equal(mints(), 1)
    authority.staged = undefined
    assert.equal(await contexts.contextFor('other.test'), undefined)
    assert.equal(mints(), 1)
  })
})
