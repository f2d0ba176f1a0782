/** What tools said of themselves when they were first seen, over a restart. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { MOST_TOOLS, ToolPins, toolPinsPath } from '../../src/learned/tool-pins.js'
import { tempFolder } from '../support/temp-folder.js'

const tool = (description: string) => ({
  name: 'read',
  description,
  inputSchema: { type: 'object', properties: { a: {}, b: {} } },
})

async function started(folder: string): Promise<ToolPins> {
  const pins = new ToolPins(toolPinsPath(folder), { warn: () => undefined })
  await pins.start()
  return pins
}

describe('pinned tools', () => {
  it('are known after a restart, changed ones too, and taken when they are accepted', async () => {
    await using folder = await tempFolder()
    const first = await started(folder.path)
    assert.deepEqual(first.saw('s', [tool('Reads.')]), [])
    await first.stop()
    const second = await started(folder.path)
    const reordered = { inputSchema: { properties: { b: {}, a: {} }, type: 'object' } }
    assert.deepEqual(second.saw('s', [{ ...tool('Reads.'), ...reordered }]), [])
    assert.deepEqual(second.saw('s', [tool('Writes.')]), ['read'])
    assert.deepEqual(second.saw('other', [tool('Writes.')]), [])
    await second.stop()
    const third = await started(folder.path)
    assert.ok(third.changed('s', 'read'))
    assert.ok(third.changed('s', 'READ'))
    assert.equal(third.changed('other', 'read'), undefined)
    third.accept('s', 'read')
    assert.equal(third.changed('s', 'read'), undefined)
    await third.stop()
    assert.equal((await started(folder.path)).changed('s', 'read'), undefined)
    assert.doesNotMatch(readFileSync(toolPinsPath(folder.path), 'utf8'), /Writes/)
  })

  it('goes back to what was taken without being asked', async () => {
    await using folder = await tempFolder()
    const pins = await started(folder.path)
    pins.saw('s', [tool('Reads.')])
    pins.saw('s', [tool('Writes.')])
    pins.saw('s', [tool('Reads.')])
    assert.equal(pins.changed('s', 'read'), undefined)
    await pins.stop()
  })

  it('are bounded, and a file that is none begins anew', async () => {
    await using folder = await tempFolder()
    writeFileSync(toolPinsPath(folder.path), '{"servers": {"s": [["x", 1], 2]}}')
    const pins = await started(folder.path)
    const many = Array.from({ length: MOST_TOOLS + 1 }, (_, i) => ({ name: `t${i}` }))
    pins.saw('s', many)
    pins.saw(
      's',
      many.map((one) => ({ ...one, description: 'x' })),
    )
    assert.ok(pins.changed('s', 't0'))
    assert.equal(pins.changed('s', `t${MOST_TOOLS}`), undefined)
    await pins.stop()
  })
})
