/** One YORI a state folder, found from anywhere, and its folder said at once when it cannot be. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { usualState } from '../../src/cli/context.js'
import { packageFile } from '../../src/core/package-root.js'
import { runningInstance } from '../../src/cli/instance.js'
import { ChildYori } from '../support/child-yori.js'
import { runCli } from '../support/cli.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'

describe('a state folder', () => {
  it('has one YORI, is found by status from anywhere, and is free when that was killed', async () => {
    await using first = await ChildYori.start()
    const state = first.folder.file('state')
    const pid = first.cli.child.pid
    const running = runningInstance(state)
    assert.deepEqual(running?.listen, [`127.0.0.1:${first.port}`])
    assert.equal(running?.pid, pid)
    await using elsewhere = await tempFolder()
    const options = { cwd: elsewhere.path, env: { YORI_STATE_DIR: state } }
    const second = await runCli(['run', '--host', '127.0.0.1', '--port', '0'], options)
    assert.equal(second.status, 4, second.stdout)
    assert.match(
      second.stderr,
      new RegExp(
        `^yori: process ${pid}, a YORI that listens on 127\\.0\\.0\\.1:${first.port}, uses ${state}; end it first`,
      ),
    )
    // The port was chosen by the system: only the instance can say it.
    const status = await runCli(['status', '--json'], options)
    const { sections } = JSON.parse(status.stdout) as {
      sections: { running: { facts: { listen: { listen: string; answers: boolean }[] } } }
    }
    const [answer] = sections.running.facts.listen
    assert.equal(answer?.listen, `127.0.0.1:${first.port}`)
    assert.equal(answer?.answers, true)
    first.cli.child.kill('SIGKILL')
    await first.cli.exited
    assert.equal(runningInstance(state), undefined)
    await using own = await tempFolder()
    writeFileSync(own.file('yori.conf'), JSON.stringify({ listen: '127.0.0.1:0' }))
    const words = [
      'exec',
      '--no-summary',
      '--config',
      own.file('yori.conf'),
      '--',
      'true',
    ]
    const again = await runCli(words, options)
    assert.equal(again.status, 0, again.stderr)
  })

  it('that cannot be made is said at once', async function () {
    needs(this, 'Linux')
    await using folder = await tempFolder()
    const file = folder.file('a-file')
    writeFileSync(file, '')
    for (const place of ['/proc/yori', `${file}/below`]) {
      const words = ['run', '--port', '0', '--state-dir', place]
      const ran = await runCli(words, { cwd: folder.path })
      assert.equal(ran.status, 4, ran.stderr)
      assert.ok(ran.stderr.startsWith(`yori: the state folder ${place} cannot be used: `))
      assert.match(ran.stderr, /give another by --state-dir/)
    }
  })

  it('is where one would look for it', () => {
    const schema = readFileSync(packageFile('docs', 'CONFIGURATION.md'), 'utf8')
    assert.match(schema, /\| `state_dir` \| path \| \/var\/db\/yori \|/)
    const nobody = { isRoot: false, home: '/home/a', stateHome: undefined }
    const none = (): boolean => false
    assert.equal(usualState({ ...nobody, isReadable: none }), '/home/a/.local/state/yori')
    assert.equal(usualState({ ...nobody, stateHome: '/s', isReadable: none }), '/s/yori')
    assert.equal(
      usualState({ ...nobody, stateHome: 'relative', isReadable: none }),
      '/home/a/.local/state/yori',
    )
    assert.equal(usualState({ ...nobody, isRoot: true, isReadable: none }), undefined)
    const service = (path: string): boolean => path === '/var/db/yori'
    assert.equal(usualState({ ...nobody, isReadable: service }), undefined)
    const beside = (path: string): boolean => path === 'var/audit.db'
    assert.equal(usualState({ ...nobody, isReadable: beside }), 'var')
  })
})
