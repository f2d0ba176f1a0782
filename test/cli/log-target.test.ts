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
    const write = async (line: string): Promise<void> => {
      const drained = once(destination, 'drain')
      destination.write(line)
      await drained
    }
    await write('before\n')
    target.look()
    renameSync(file, `${file}.0`)
    await write('moved\n')
    const reopened = once(destination, 'ready')
    target.look()
    await reopened
    await write('after\n')
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
