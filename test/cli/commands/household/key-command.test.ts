/** `yori key`: what it prints, what it keeps, and that a running YORI holds to it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'undici'
import { ChildYori } from '../../../support/child-yori.js'
import { runCli } from '../../../support/cli.js'
import { startLlmOrigin } from '../../../support/llm-origin.js'

describe('yori key', () => {
  it('shows a key once, and a running YORI takes it until it is revoked', async () => {
    await using origin = await startLlmOrigin()
    const base_url = `http://127.0.0.1:${origin.port}`
    await using yori = await ChildYori.start({
      config: {
        gateway: { providers: { openai: { base_url, key: 'sk-of-the-vendor' } } },
      },
    })
    const key = async (...args: string[]) =>
      await runCli(['key', ...args, '--config', yori.folder.file('yori.conf')], {
        cwd: yori.folder.path,
      })
    const ask = async (given: string): Promise<number> => {
      const { statusCode, body } = await request(
        `http://127.0.0.1:${yori.port}/llm/openai/v1/chat/completions`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${given}`,
          },
          body: '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}',
        },
      )
      await body.dump()
      return statusCode
    }

    const made = await key(
      ...['create', '--for', 'app', '--models', 'gpt-4o*,claude-x', 'o3'],
      ...['--monthly-usd', '20', '--rpm', '60', '--tpm', '100000', '--expires', '90d'],
      ...['--tag', 'team:search'],
    )
    assert.equal(made.status, 0, made.stderr)
    const long = made.stdout.split(/\s+/).filter((word) => word.length >= 24)
    assert.equal(long.length, 1)
    const [first = ''] = long
    assert.equal(made.stdout, `${first}\n`)
    assert.ok(!made.stderr.includes(first))
    assert.equal(await ask(first), 200)
    assert.equal(origin.arrived.at(-1)?.headers.authorization, 'Bearer sk-of-the-vendor')

    // Another for the same program is a mistake; to change it is a word of its own.
    assert.equal((await key('create', '--for', 'app')).status, 1)
    const rotated = await key('rotate', 'app', '--json')
    const { key: second, ...about } = JSON.parse(rotated.stdout) as Record<
      string,
      unknown
    >
    const { expires, ...rest } = about
    assert.match(String(expires), /^\d{4}-\d\d-\d\d \d\d:\d\d \S+$/)
    assert.deepEqual(rest, {
      name: 'app',
      models: ['gpt-4o*', 'claude-x', 'o3'],
      usdPerMonth: 20,
      requestsPerMinute: 60,
      tokensPerMinute: 100000,
      tags: ['team:search'],
    })
    assert.equal(await ask(first), 401)
    assert.equal(await ask(String(second)), 200)

    const listed = await key('list')
    assert.match(listed.stdout, /^app +gpt-4o\*, claude-x, o3 +\$20\.00 a month/m)
    const digest = createHash('sha256').update(String(second)).digest('base64url')
    for (const hidden of [String(second), digest])
      assert.ok(!listed.stdout.includes(hidden))

    assert.equal((await key('revoke', 'app')).status, 0)
    assert.equal(await ask(String(second)), 401)
    for (const wrong of [
      ['create', '--for', 'x', '--rpm', '0'],
      ['create', '--for', 'x', '--expires', 'never'],
    ])
      assert.equal((await key(...wrong)).status, 2, wrong.join(' '))
  })
})
