import assert from 'node:assert/strict'
import { ChildYori } from '../../../support/child-yori.js'
import { runCli } from '../../../support/cli.js'

const ADD = ['allowlist', 'add', '192.0.2.7', 'desk']

describe('a change of the household', () => {
  it('says whether a running YORI has taken it, was late, or is none', async () => {
    await using yori = await ChildYori.start()
    const cwd = { cwd: yori.folder.path }
    const config = ['--config', yori.folder.file('yori.conf')]
    const { pid } = yori.cli.child
    assert.ok(pid !== undefined)
    for (const change of [
      ADD,
      ['allowlist', 'remove', '192.0.2.7'],
      ['time', 'add', 'night', '--start', '21:00', '--end', '07:00'],
      ['time', 'remove', 'night'],
    ]) {
      const ran = await runCli([...change, ...config], cwd)
      assert.equal(ran.status, 0, ran.stderr)
      assert.match(ran.stderr, /the running YORI has taken it: it holds now/, change[1])
    }
    // What only looks changes nothing, and says who tells.
    const lists = [['device'], ['person'], ['key'], ['allowlist'], ['pin']] as const
    const looked = async (): Promise<Set<string>> => {
      const said = new Set<string>()
      for (const [name] of lists)
        said.add((await runCli([name, 'list', ...config], cwd)).stderr)
      return said
    }
    const beside = `yori: told from the files of the running YORI, process ${pid}\n`
    assert.deepEqual(await looked(), new Set([beside]))
    process.kill(pid, 'SIGSTOP')
    try {
      const late = await runCli([...ADD, ...config, '--json'], cwd)
      assert.equal(late.status, 0)
      assert.match(
        late.stderr,
        new RegExp(`process ${pid}\\) has not taken it within 3 s`),
      )
      assert.equal((JSON.parse(late.stdout) as { name: string }).name, 'desk')
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    process.kill(pid, 'SIGTERM')
    await yori.cli.exited
    const alone = await runCli(['allowlist', 'remove', '192.0.2.7', ...config], cwd)
    assert.match(alone.stderr, /no YORI runs on .*state: it holds once one does/)
    const none = 'yori: told from the files: no YORI runs on that state folder\n'
    assert.deepEqual(await looked(), new Set([none]))
  })
})
