import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openLogTarget } from '../../src/cli/log-target.js'
import { tempFolder } from '../support/temp-folder.js'
import { needs } from '../support/needs.js'

describe('where the log goes', () => {
  it('is a new file once the old one was moved away, and no line is lost', async () => {
    await using folder = await tempFolder()
    const file = join(folder.path, 'yori.log')
    using target = openLogTarget(file)
    const { destination } = target
    await once(destination, 'ready')
    destination.write('before\n')
    destination.flushSync()
    target.look()
    renameSync(file, `${file}.0`)
    destination.write('moved\n')
    destination.flushSync()
    const reopened = once(destination, 'ready')
    target.look()
    await reopened
    destination.write('after\n')
    destination.flushSync()
    assert.equal(readFileSync(`${file}.0`, 'utf8'), 'before\nmoved\n')
    assert.equal(readFileSync(file, 'utf8'), 'after\n')
    assert.equal(statSync(file).mode & 0o027, 0)
    assert.equal(target.failures, 0)
  })

  it('is refused at the start when it cannot be written', () => {
    assert.throws(() => openLogTarget('/proc/none/yori.log'), {
      code: 'YORI_CONFIG_INVALID',
    })
  })

  it('costs lines and not the process when the disk is full', async function () {
    needs(this, 'Linux')
    using target = openLogTarget('/dev/full')
    await once(target.destination, 'ready')
    const failed = once(target.destination, 'error')
    target.destination.write('lost\n')
    const [error] = (await failed) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ENOSPC')
    assert.ok(target.failures > 0)
  })
})
