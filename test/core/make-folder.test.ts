import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { makeFolder } from '../../src/core/make-folder.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'

describe('a folder that is made', () => {
  it('has those above it, and stays as it is when it is there', async () => {
    await using temp = await tempFolder()
    const path = temp.file('a', 'b ü', 'c')
    makeFolder(path, 0o700)
    makeFolder(path, 0o755)
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  it('is an error where none can be, and the call returns', async function () {
    needs(this, 'Linux')
    await using temp = await tempFolder()
    writeFileSync(temp.file('file'), '')
    for (const [path, code] of [
      ['/proc/yori', 'ENOENT'],
      ['/proc/yori/below', 'ENOENT'],
      [temp.file('file', 'below'), 'ENOTDIR'],
    ] as const)
      assert.throws(() => makeFolder(path, 0o700), { code })
  })
})
