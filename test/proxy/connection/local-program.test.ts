import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { answersOk } from '../../support/load.js'
import { needs } from '../../support/needs.js'
import { behind, NAME, until } from '../../support/proxied.js'

const run = promisify(execFile)

describe('an exchange of a program of this machine', () => {
  before(function () {
    needs(this, 'Linux')
    needs(this, 'curl')
  })

  it('names the program and its folder, and no argument of it', async () => {
    // A program that is gone cannot be told: its second answer waits for the row of the first.
    const known = async (): Promise<boolean> =>
      (await proxied.yori.rows('exchanges'))
        .filter((row) => row['http_path'] === '/v1/models/first')
        .every((row) => row['program'] !== null)
    await using proxied = await behind((incoming, response) => {
      const isFirst = incoming.url?.endsWith('first') === true
      void until(async () => isFirst || (await known())).then(() =>
        answersOk(incoming, response),
      )
    })
    const { yori } = proxied
    const folder = yori.folder.path
    const args = ['-sS', '--proxy', yori.url, '--cacert', yori.rootFile]
    const urls = ['first', 'second'].map((name) => `https://${NAME}/v1/models/${name}`)
    const asked = ['-H', 'authorization: Bearer secret', ...urls]
    for (const version of ['--http1.1', '--http2'])
      await run('curl', [...args, version, ...asked], { cwd: folder })
    const rows = await yori.rows('exchanges')
    assert.equal(rows.length, 4)
    for (const row of rows) {
      assert.deepEqual([row['program'], row['program_folder']], ['curl', folder])
      assert.doesNotMatch(JSON.stringify(row), /secret/)
    }
  })

  it('is believed in what it says of itself only here', async () => {
    await using proxied = await behind(answersOk)
    const { yori } = proxied
    const args = ['-sS', '--proxy', yori.url, '--cacert', yori.rootFile]
    const says = ['--proxy-header', 'X-Yori-Program: my%20agent %2Fsrv%2Fwork']
    await run('curl', [...args, ...says, `https://${NAME}/v1/models`])
    const [row] = await yori.rows('exchanges')
    assert.deepEqual(
      [row?.['program'], row?.['program_folder']],
      ['my agent', '/srv/work'],
    )
  })
})
