/**
 * Times that commands print for people stand on the wall of `enforcement.timezone`. The
 * household lives where the offset has 45 minutes, its machine where it has 30, and `date` says
 * what is right.
 */
import assert from 'node:assert/strict'
import { request } from 'undici'
import { readCa } from '../../../../ca/show-ca.js'
import { systemClock } from '../../../../src/core/clock.js'
import {
  lessonsPath,
  NO_LESSONS,
  writeLessons,
} from '../../../../src/net/lessons-file.js'
import { trustPath, writeTrust } from '../../../../src/net/trust-file.js'
import { ChildYori } from '../../../support/child-yori.js'
import { runCli } from '../../../support/cli.js'
import { startLlmOrigin } from '../../../support/llm-origin.js'
import { runProgram } from '../../../support/programs.js'

const HOUSEHOLD = 'Pacific/Chatham'
const MACHINE = 'America/St_Johns'
const DAY_MS = 86_400_000

/** `2026-03-04 21:30` by the `date` of the system. */
async function wall(atMs: number, format = '%Y-%m-%d %H:%M'): Promise<string> {
  const env = { ...process.env, TZ: HOUSEHOLD }
  const at = `@${String(Math.floor(atMs / 1000))}`
  const { stdout } = await runProgram('date', ['-d', at, `+${format}`], { env })
  return stdout.toString().trim()
}

describe('times that people read', () => {
  it('are those of the household in every command', async () => {
    await using origin = await startLlmOrigin()
    const base_url = `http://127.0.0.1:${origin.port}`
    await using yori = await ChildYori.start({
      config: {
        gateway: { providers: { openai: { base_url } } },
        enforcement: { timezone: HOUSEHOLD },
      },
    })
    const said = async (...args: string[]): Promise<string> => {
      const file = yori.folder.file('yori.conf')
      const env = { TZ: MACHINE }
      const ran = await runCli([...args, '--config', file], {
        cwd: yori.folder.path,
        env,
      })
      return ran.stdout + ran.stderr
    }
    const url = `http://127.0.0.1:${yori.port}/llm/openai/v1/chat/completions`
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-x' },
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'what time is it' }],
      }),
    })
    await answer.body.dump()
    await said('audit', 'list')
    yori.cli.signal('SIGTERM')
    await yori.cli.exited

    const [row] = yori.rows('exchanges')
    const askedAt = Date.parse(`${String(row?.['timestamp']).replace(' ', 'T')}Z`)
    const asked = await wall(askedAt, '%Y-%m-%d %H:%M:%S')
    const session = String(row?.['session_id'])
    const state = yori.folder.file('state')
    const now = Date.now()
    const [learnedUntil, refusedAt, takesOver] = [
      5 * DAY_MS,
      -3 * DAY_MS,
      40 * DAY_MS,
    ].map((span) => now + span) as [number, number, number]
    const { root, issuing } = await readCa(`${state}/ca`, systemClock)
    await writeLessons(lessonsPath(state), {
      ...NO_LESSONS,
      lessons: [
        {
          ...{ device: '192.0.2.7', name: 'api.openai.com', fingerprint: 'f' },
          ...{
            learned: 'tunnel-pinned',
            learnedAt: now,
            until: learnedUntil,
            forMs: DAY_MS,
          },
        },
      ],
    })
    const device = {
      device: '192.0.2.7',
      ip: '192.0.2.7',
      root: root.x509.fingerprint256,
    }
    await writeTrust(trustPath(state), [{ ...device, refusedAt }])

    const expected: readonly (readonly [readonly string[], string])[] = [
      [['audit', 'list'], asked],
      [['audit', 'show', String(row?.['request_id'])], asked],
      [['sessions', 'list'], asked],
      [['sessions', 'show', session], asked],
      [['stats'], asked.slice(0, 'YYYY-MM-DD'.length)],
      [['stats'], `day (${HOUSEHOLD})`],
      [['pinning', 'list'], await wall(learnedUntil)],
      [['ca', 'trust', 'list'], await wall(refusedAt)],
      [['ca', 'show'], await wall(issuing.certificate.notAfterMs)],
      [['status'], await wall(issuing.certificate.notAfterMs)],
      [
        ['ca', 'rotate', '--root', '--at', new Date(takesOver).toISOString()],
        await wall(takesOver),
      ],
      [['ca', 'rotate', '--root', '--status'], await wall(takesOver)],
      [['doctor'], await wall(Date.now(), '%Y-%m-%d')],
    ]
    for (const [args, time] of expected) {
      const text = await said(...args)
      assert.ok(text.includes(time), `${args.join(' ')}: no ${time} in\n${text}`)
      assert.doesNotMatch(text, /\d{4}-\d\d-\d\dT\d\d:\d\d|UTC/, args.join(' '))
    }

    // And times that they write are read on it.
    const [minute, next] = [await wall(askedAt), await wall(askedAt + 60_000)]
    for (const [args, isFound] of [
      [['--since', minute], true],
      [['--since', next], false],
      [['--until', next], true],
      [['--until', minute], false],
    ] as const) {
      const text = await said('audit', 'list', ...args)
      assert.equal(text.includes(asked), isFound, `${args.join(' ')}\n${text}`)
    }
    const expires = await wall(now + DAY_MS, '%Y-%m-%d %H:%M:%S')
    const added = await said(
      ...['allowlist', 'add', '192.0.2.9', 'guest', '--expires', expires, '--json'],
    )
    const second = Math.floor((now + DAY_MS) / 1000) * 1000
    assert.ok(added.includes(new Date(second).toISOString()), added)
  })
})
