import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hashPasswordCommand } from '../../../../src/cli/commands/household/hash-password.js'
import { parsePasswordHash, verifyPassword } from '../../../../src/net/password.js'
import { tempFolder } from '../../../support/temp-folder.js'

async function run(typed: readonly string[], ...args: string[]) {
  const ran = { out: '', notes: '', code: 0 }
  const answers = [...typed]
  const command = hashPasswordCommand({
    print: (text) => void (ran.out += text),
    note: (text) => void (ran.notes += text),
    exit: (code) => void (ran.code = code),
    askSecret: () => Promise.resolve(answers.shift()),
  })
  await command.parseAsync(['node', 'hash-password', ...args])
  return ran
}

describe('yori hash-password', () => {
  it('prints what the configuration takes, and never the password', async () => {
    const { out } = await run(['correct horse', 'correct horse'])
    assert.match(out, /^scrypt:16384:8:1:[^:]+:[^:]+\n$/)
    const hash = parsePasswordHash(out.trim())
    assert.ok(hash !== undefined)
    assert.equal(await verifyPassword(hash, 'correct horse'), true)
  })

  it('takes it out of a file, of which the first line counts', async () => {
    await using folder = await tempFolder()
    const file = folder.file('secret')
    writeFileSync(file, 'correct horse\nbattery\n')
    const hash = parsePasswordHash((await run([], '--password-file', file)).out.trim())
    assert.ok(hash !== undefined)
    assert.equal(await verifyPassword(hash, 'correct horse'), true)
  })

  it('says what is wrong', async () => {
    assert.match((await run(['one secret', 'two secret'])).notes, /not the same/)
    assert.match((await run(['short'])).notes, /at least 6/)
    // Nobody can be asked: it is said how else.
    assert.match((await run([])).notes, /no terminal.*--password-file/)
    assert.equal((await run([], '--password', 'short')).code, 1)
  })
})
