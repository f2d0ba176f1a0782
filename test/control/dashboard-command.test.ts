import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChildYori } from '../support/child-yori.js'
import { Cli, runCli } from '../support/cli.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'

const urlsIn = (text: string): string[] => text.match(/https?:\/\/\S+/g) ?? []

describe('yori dashboard', () => {
  let yori: ChildYori
  before(async () => {
    yori = await ChildYori.start()
  })
  after(() => yori[Symbol.asyncDispose]())

  const command = (...words: string[]) =>
    runCli([...words, '--config', yori.folder.file('yori.conf')], {
      cwd: yori.folder.path,
    })

  describe('with curl', () => {
    before(function () {
      needs(this, 'curl')
    })

    it('prints one link, which sets a cookie once', async () => {
      const { status, stdout } = await command('dashboard')
      assert.equal(status, 0)
      const [url = '', ...others] = urlsIn(stdout)
      assert.deepEqual(others, [])
      assert.equal(new URL(url).hostname, '127.0.0.1')
      const jar = yori.folder.file('jar')
      const curl = (...words: string[]): string =>
        execFileSync('curl', [
          '-sS',
          '-D',
          '-',
          '-b',
          jar,
          '-c',
          jar,
          ...words,
        ]).toString()
      assert.match(curl(url), /^set-cookie: .*HttpOnly.*SameSite=Strict/im)
      assert.match(curl(new URL('/api/me', url).href), /"role":"admin"/)
      const again = execFileSync('curl', ['-sS', '-D', '-', url]).toString()
      assert.match(again, /^HTTP\/1\.1 403/)
      assert.doesNotMatch(again, /^set-cookie:/im)
    })
  })

  it('is where `yori status` asks, which says so', async () => {
    const { stdout } = await command('status', '--json')
    const { sections } = JSON.parse(stdout) as {
      sections: { control: { facts: { asked: string; pid: number } } }
    }
    const { asked, pid } = sections.control.facts
    assert.equal(asked, 'daemon')
    assert.equal(pid, yori.cli.child.pid)
    assert.match((await command('status')).stdout, /asked the running YORI, process \d+/)
  })

  it('says that none runs where none does', async () => {
    await using folder = await tempFolder()
    const words = ['dashboard', '--config', folder.file('yori.conf')]
    const { writeFileSync } = await import('node:fs')
    const config = { state_dir: folder.file('state') }
    writeFileSync(folder.file('yori.conf'), JSON.stringify(config))
    const { status, stdout, stderr } = await runCli(words, { cwd: folder.path })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /no YORI runs/)
  })

  it('keeps no second YORI from running: it says that the port is taken', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await using folder = await tempFolder()
    try {
      const state = folder.file('state')
      const words = ['run', '--state-dir', state, '--host', '127.0.0.1', '--port', '0']
      const env = { YORI_CONTROL_LISTEN: `127.0.0.1:${port}` }
      await using cli = new Cli(words, { cwd: folder.path, env })
      await cli.printed(/control +not there: 127\.0\.0\.1:\d+: another program listens/)
      await cli.printed(/YORI is running/)
      assert.equal(cli.stderr.match(/control plane could not listen/g)?.length, 1)
      const told = await runCli(['status'], {
        cwd: folder.path,
        env: { YORI_STATE_DIR: state },
      })
      assert.match(told.stdout, /control {2}\(!\)[\s\S]*could not listen on/)
    } finally {
      taken.close()
    }
  })
})
