/** What `yori doctor` asks of a YORI that runs is a question, and no refusal of its certificate. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Cli, runCli } from '../support/cli.js'
import { tempFolder } from '../support/temp-folder.js'

describe('yori doctor, beside a YORI that runs', function () {
  this.timeout(60_000)

  it('leaves no failed connection behind, and nobody who was turned away', async () => {
    await using folder = await tempFolder()
    const write = (listen: string): void =>
      writeFileSync(
        folder.file('yori.conf'),
        `state_dir: ./var\nlisten: ${listen}\nupstream: {dns: ['127.0.0.1:9']}\n` +
          'control: {listen: 127.0.0.1:0}\n',
      )
    write('127.0.0.1:0')
    await using yori = new Cli(['run'], { cwd: folder.path })
    const [, port = ''] = await yori.printed(/127\.0\.0\.1:(\d+)/)
    write(`127.0.0.1:${port}`)
    const doctor = await runCli(['doctor'], { cwd: folder.path })
    assert.match(doctor.stdout, /answers, also by TLS for api\.openai\.com/)
    const { stdout } = await runCli(['status'], { cwd: folder.path })
    assert.match(stdout, /1 connection.* 1 inspected .* 0 failed/, stdout)
    // It had the root in its hand: that is no word about this machine.
    assert.match(stdout, /who trusts us\n +no device has met the certificate yet/)
    assert.doesNotMatch(stdout, /TLS handshake with the client failed/)
  })
})
