import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Agent, request } from 'undici'
import { packageFile } from '../../../src/core/package-root.js'

describe('tools/sim as a program', () => {
  it('says where it listens and whom to trust, serves, and ends on SIGTERM', async () => {
    const file = packageFile('dist/tools/sim/main.js')
    const child = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [
        string,
      ]
      const { port, caPem } = JSON.parse(line) as { port: number; caPem: string }
      const dispatcher = new Agent({ connect: { ca: caPem } })
      const reply = await request(`https://localhost:${port}/v1/models`, {
        dispatcher,
        headers: { authorization: 'Bearer simulated-key' },
      })
      assert.equal(reply.statusCode, 200)
      assert.match(await reply.body.text(), /gpt-4o/)
      await dispatcher.close()
      child.kill('SIGTERM')
      const [code] = (await once(child, 'exit')) as [number | null]
      assert.equal(code, 0)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
