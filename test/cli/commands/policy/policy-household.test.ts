/** What a household asks of its policies: which there are, and what a change would do. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadConfig } from '../../../../config/load.js'
import { openWriter } from '../../../../src/audit/writer.js'
import { PolicyDatabase } from '../../../../src/household/policy-database.js'
import { policyCommand } from '../../../../src/cli/commands/policy/policy-command.js'
import type { DiffReport } from '../../../../src/replay/policy-diff.js'
import type { SuggestReport } from '../../../../src/cli/commands/policy/policy-suggest.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

const NOW = Date.parse('2026-03-20T12:00:00Z')

type Recorded = Readonly<Record<string, string | number | null>>

const ORDINARY: Recorded = {
  connection_id: 'c',
  event_type: 'response',
  device_ip: '192.0.2.10',
  endpoint_domain: 'api.openai.com',
  http_version: '1.1',
  http_method: 'POST',
  http_path: '/v1/chat/completions',
  provider: 'openai',
  is_call: 1,
  model: 'gpt-4o-mini',
  request_bytes: 100,
  response_bytes: 100,
  prompt_chars: 5,
  prompt_preview: 'hello',
}

class Home implements AsyncDisposable {
  readonly folder: TempFolder
  #rows = 0

  private constructor(folder: TempFolder) {
    this.folder = folder
  }

  static async with(config: object, rows: readonly Recorded[]): Promise<Home> {
    const home = new Home(await tempFolder())
    const text = { state_dir: home.folder.file('state'), ...config }
    writeFileSync(home.folder.file('yori.conf'), JSON.stringify(text))
    home.record(rows)
    return home
  }

  record(rows: readonly Recorded[]): void {
    const writer = openWriter(this.folder.file('state/audit.db'))
    for (const row of rows) {
      const whole = { ...ORDINARY, request_id: `r${++this.#rows}`, ...row }
      const names = Object.keys(whole)
      const holes = names.map(() => '?').join(', ')
      const sql = `INSERT INTO exchanges (${names.join(', ')}) VALUES (${holes})`
      writer.db.prepare(sql).run(...Object.values(whole))
    }
    writer.close()
  }

  async run(...args: string[]): Promise<{ out: string; notes: string; code: number }> {
    const ran = { out: '', notes: '', code: 0 }
    const command = policyCommand({
      load: () => {
        const path = this.folder.file('yori.conf')
        const loaded = loadConfig({ path, env: {}, cwd: this.folder.path })
        assert.ok(loaded.kind === 'ok', JSON.stringify(loaded))
        return loaded
      },
      print: (text) => void (ran.out += text),
      note: (text) => void (ran.notes += text),
      clock: new ManualClock(NOW),
      isWatched: false,
      onInterrupt: (interrupted) => {
        if (this.interruptAtOnce) interrupted()
        return { [Symbol.dispose]: () => undefined }
      },
      monotonic: () => 0,
      exit: (code) => void (ran.code = code),
    })
    command.exitOverride()
    await command.parseAsync(args, { from: 'user' })
    return ran
  }

  interruptAtOnce = false

  async diff(...args: string[]): Promise<DiffReport> {
    return JSON.parse((await this.run('diff', '--json', ...args)).out) as DiffReport
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]()
  }
}

const UTC = { enforcement: { timezone: 'UTC' } }
const evening = (day: string, time: string): Recorded => ({
  timestamp: `2026-03-${day} ${time}.000`,
})

describe('yori policy list', () => {
  it('tells the policies in their order, whose they are and what they look at', async () => {
    await using home = await Home.with(
      {
        policies: {
          directory: './own',
          files: {
            privacy: { action: 'block', order: 5 },
            bedtime: { order: 10 },
            daily_allowance: { order: 11 },
            nowhere: {},
          },
        },
      },
      [],
    )
    mkdirSync(home.folder.file('own'))
    const text = '# Says no.\npackage yori.mine\ndeny if input.prompt == "no"'
    writeFileSync(home.folder.file('own/mine.rego'), text)
    const { out } = await home.run('list', '--json')
    const { policies, unknown } = JSON.parse(out) as {
      policies: Record<string, unknown>[]
      unknown: string[]
    }
    assert.deepEqual(
      policies.map(({ name, action, readsContent }) => [name, action, readsContent]),
      [
        ['privacy', 'block', true],
        ['bedtime', 'alert', false],
        ['daily_allowance', 'alert', false],
        ['mine', 'alert', true],
      ],
    )
    assert.deepEqual(unknown, ['nowhere'])
    const shown = (await home.run('list')).out
    assert.match(shown, /^mine +alert +open +100 +no +\S+mine\.rego +Says no\.$/m)
    for (const name of ['bedtime', 'daily_allowance'])
      assert.match(shown, new RegExp(`^${name} +alert +open +\\d+ +yes `, 'm'))
    assert.match(shown, /nowhere: no policy of that name/)
  })
})

describe('yori policy diff', () => {
  it('tells which decisions would flip, by device and policy', async () => {
    const files = { bedtime: { action: 'alert' } }
    await using home = await Home.with({ ...UTC, policies: { files } }, [
      evening('18', '20:59:59'),
      evening('18', '21:00:00'),
      { ...evening('19', '05:59:59'), device_ip: '192.0.2.11' },
      { ...evening('19', '06:00:00'), device_ip: '192.0.2.11' },
      evening('19', '23:00:00'),
    ])
    const { milliseconds: _took, ...report } = await home.diff(
      '--set',
      'bedtime.action=block',
    )
    const flip = { policy: 'bedtime', from: 'alert', to: 'block' }
    const reason = 'it is bedtime (21:00 to 06:00)'
    assert.deepEqual(report, {
      rows: 5,
      same: 2,
      flipped: 3,
      unknown: 0,
      unknownBy: {},
      flips: [
        {
          ...flip,
          device: '192.0.2.10',
          count: 2,
          first: '2026-03-18 21:00:00.000',
          last: '2026-03-19 23:00:00.000',
          reason,
        },
        {
          ...flip,
          device: '192.0.2.11',
          count: 1,
          first: '2026-03-19 05:59:59.000',
          last: '2026-03-19 05:59:59.000',
          reason,
        },
      ],
      interrupted: false,
    })
    const { out, notes } = await home.run('diff', '--set', 'bedtime.action=block')
    assert.match(
      out,
      /^5 requests: 3 would be decided otherwise, 2 as before, 0 unknown$/m,
    )
    assert.match(notes, /mode is observe/)
  })

  it('asks with other parameters, and with policies that are not in force yet', async () => {
    await using home = await Home.with(UTC, [evening('18', '20:30:00')])
    assert.equal((await home.diff('--set', 'bedtime.action=block')).flipped, 0)
    const set = ['bedtime.action=block', 'bedtime.params.start_hour=20']
    const report = await home.diff(...set.flatMap((change) => ['--set', change]))
    assert.deepEqual([report.flipped, report.flips[0]?.from], [1, 'allow'])
  })

  it('counts as unknown what the record does not hold, and never as unchanged', async () => {
    await using home = await Home.with(UTC, [
      evening('18', '10:00:00'),
      { ...evening('18', '11:00:00'), prompt_preview: 'a@b.example', prompt_chars: 11 },
      { ...evening('18', '12:00:00'), prompt_chars: 500 },
      { ...evening('18', '13:00:00'), prompt_chars: 500, findings: '{"credit_card":1}' },
      { ...evening('18', '14:00:00'), prompt_chars: 500, findings: '{}' },
      { ...evening('18', '15:00:00'), prompt_chars: null, prompt_preview: null },
    ])
    const report = await home.diff('--set', 'privacy.action=block')
    assert.deepEqual(
      report.flips.map(({ to, count }) => [to, count]),
      [
        ['alert', 1],
        ['block', 1],
      ],
    )
    assert.equal(report.unknown, 2)
    assert.deepEqual(report.unknownBy, { privacy: 2 })
    assert.equal(report.same, 2)
  })

  it('knows a flip that no unknown opinion could change', async () => {
    const files = { bedtime: { action: 'alert' }, privacy: { action: 'alert' } }
    const night = { ...evening('18', '23:00:00'), prompt_chars: 500 }
    await using home = await Home.with({ ...UTC, policies: { files } }, [night])
    assert.equal((await home.diff('--set', 'bedtime.action=block')).flipped, 1)
    const strict = { ...files, privacy: { action: 'block' } }
    await using other = await Home.with({ ...UTC, policies: { files: strict } }, [night])
    const report = await other.diff('--set', 'bedtime.action=block')
    assert.deepEqual(
      [report.flipped, report.unknown],
      [0, 1],
      'it may be blocked already',
    )
  })

  it('reads bodies that were kept', async () => {
    const body = JSON.stringify({
      model: 'gpt-4o',
      messages: [
        { role: 'user', content: 'my card is 4111 1111 1111 1111' },
        { role: 'user', content: 'ok?' },
      ],
    })
    const kept = { request_body: body, request_bytes: Buffer.byteLength(body) }
    await using home = await Home.with(UTC, [
      { ...evening('18', '10:00:00'), ...kept, prompt_chars: 33, prompt_preview: 'ok?' },
    ])
    assert.equal((await home.diff('--set', 'privacy.action=block')).flipped, 1)
  })

  it('counts again what devices used, from before the time that is asked about', async () => {
    const rows = [1, 2, 3].map((n) => evening('19', `1${n}:00:00`))
    await using home = await Home.with(UTC, rows)
    const set = ['high_usage.action=block', 'high_usage.params.daily_threshold=2']
    const args = set.flatMap((change) => ['--set', change])
    const report = await home.diff(...args, '--since', '2026-03-19 12:30')
    assert.deepEqual([report.rows, report.flipped], [1, 1])
    assert.match(report.flips[0]?.reason ?? '', /more than 2 requests today/)
  })

  it('counts no request that asked no model for work', async () => {
    const lists = [1, 2, 3].map((n) => ({ ...evening('19', `1${n}:00:00`), is_call: 0 }))
    await using home = await Home.with(UTC, lists)
    const set = ['high_usage.action=block', 'high_usage.params.daily_threshold=2']
    const report = await home.diff(...set.flatMap((change) => ['--set', change]))
    assert.deepEqual([report.rows, report.flipped], [3, 0])
  })

  it('lets past whom the lists let past', async () => {
    const devices = [{ name: 'laptop', ip: '192.0.2.10' }]
    const enforcement = { timezone: 'UTC', allowlist: { devices } }
    await using home = await Home.with({ enforcement }, [evening('18', '23:00:00')])
    const report = await home.diff('--set', 'bedtime.action=block')
    assert.deepEqual([report.flipped, report.same], [0, 1])
  })

  it('takes the policies of another folder', async () => {
    await using home = await Home.with(UTC, [evening('18', '10:00:00')])
    mkdirSync(home.folder.file('next'))
    const text = 'package yori.next\ndeny contains "a word" if input.prompt == "hello"'
    writeFileSync(home.folder.file('next/next.rego'), text)
    const report = await home.diff('--policies', home.folder.file('next'))
    assert.deepEqual([report.flips[0]?.policy, report.flips[0]?.to], ['next', 'alert'])
  })

  it('counts what could not be inspected as it would be treated', async () => {
    await using home = await Home.with(UTC, [
      { ...evening('18', '10:00:00'), uninspectable: 'too-large', prompt_chars: null },
    ])
    const report = await home.diff('--set', 'privacy.action=block')
    assert.deepEqual(report.flips[0]?.policy, 'uninspectable')
  })

  it('says what it has seen when it is interrupted', async () => {
    const rows = Array.from({ length: 600 }, () => evening('18', '23:00:00'))
    await using home = await Home.with(UTC, rows)
    home.interruptAtOnce = true
    const ran = await home.run('diff', '--set', 'bedtime.action=block')
    assert.equal(ran.code, 130)
    assert.match(ran.out, /^interrupted/)
    assert.match(ran.out, /249 requests: 249 would/)
  })

  it('goes on where it was interrupted, and comes to the same', async () => {
    const rows: Recorded[] = Array.from({ length: 1200 }, (_, n) => ({
      ...evening(String(10 + (n % 9)), `${20 + (n % 4)}:00:00`),
      device_ip: `192.0.2.${n % 5}`,
    }))
    // A counter goes on counting what was asked about before.
    const set = ['bedtime.action=block', 'high_usage.action=block']
    set.push('high_usage.params.daily_threshold=5')
    const args = set.flatMap((change) => ['--set', change])
    const inOrder = rows.toSorted((a, b) =>
      String(a['timestamp']) < String(b['timestamp']) ? -1 : 1,
    )
    await using home = await Home.with(UTC, inOrder)
    const { milliseconds: _, ...whole } = await home.diff(...args)
    home.interruptAtOnce = true
    const first = await home.run('diff', ...args)
    assert.match(first.notes, /with --resume goes on there/)
    const again = await home.run('diff', '--resume', ...args)
    assert.match(again.notes, /goes on after 249 requests/)
    home.interruptAtOnce = false
    const other = await home.run('diff', '--resume', '--set', 'bedtime.action=alert')
    assert.match(other.notes, /it begins at the beginning/)
    home.interruptAtOnce = true
    await home.run('diff', ...args)
    home.interruptAtOnce = false
    const last = await home.run('diff', '--json', '--resume', ...args)
    const { milliseconds: _took, ...report } = JSON.parse(last.out) as DiffReport
    assert.deepEqual(report, whole)
    assert.ok(whole.flips.some(({ policy }) => policy === 'high_usage'))
    assert.equal(
      (await home.run('diff', '--resume', ...args)).notes.includes('begins'),
      true,
    )
  })

  it('goes on with nothing where a policy or a device is another one since', async () => {
    const rows = Array.from({ length: 600 }, () => evening('10', '22:00:00'))
    await using home = await Home.with({ ...UTC, policies: { directory: './own' } }, rows)
    mkdirSync(home.folder.file('own/lib'), { recursive: true })
    const write = (name: string, text: string): void =>
      writeFileSync(home.folder.file('own', name), text)
    write('mine.rego', 'package yori.mine\ndeny contains "no" if input.prompt == "no"')
    write('lib/words.rego', 'package yori.lib.words\nbad := "no"')
    const args = ['--set', 'bedtime.action=block']
    const resumed = async (): Promise<string> => {
      home.interruptAtOnce = true
      return (await home.run('diff', '--resume', ...args)).notes
    }
    assert.match(await resumed(), /it begins at the beginning/)
    assert.match(await resumed(), /goes on after 249 requests/)
    write('mine.rego', 'package yori.mine\ndeny contains "yes" if input.prompt == "yes"')
    assert.match(await resumed(), /it begins at the beginning/)
    write('lib/words.rego', 'package yori.lib.words\nbad := "yes"')
    assert.match(await resumed(), /it begins at the beginning/)
    assert.match(await resumed(), /goes on after 249 requests/)
    {
      using kept = new PolicyDatabase(home.folder.file('state/policy.db'))
      const value = { ip: '192.0.2.7', name: 'laptop', enabled: true, permanent: true }
      kept.put('device', { key: '192.0.2.7', value, addedAt: 1, addedBy: 'anna' })
    }
    assert.match(await resumed(), /it begins at the beginning/)
  })

  for (const [change, problem] of [
    ['bedtime', /write NAME\.action=block/],
    ['bedtime.action=stop', /one of allow, alert, block/],
    ['bedtime.order=first', /order is a whole number/],
    ['bedtime.params=3', /name the parameter/],
    ['bedtime.params.start_hour=late', /start_hour is a whole number from 0 to 24/],
  ] as const) {
    it(`refuses --set ${change}`, async () => {
      await using home = await Home.with(UTC, [])
      await assert.rejects(home.diff('--set', change), problem)
    })
  }
})

describe('yori policy suggest', () => {
  it('proposes what the record calls for, with the evidence and without the words', async () => {
    await using home = await Home.with(
      { ...UTC, policies: { files: { homework_helper: {} } } },
      [
        ...['16', '17', '18'].map((day) => evening(day, '22:30:00')),
        {
          ...evening('18', '10:00:00'),
          prompt_chars: 19,
          prompt_preview: '4111 1111 1111 1111',
          device_hostname: 'tablet',
        },
        { ...evening('18', '11:00:00'), prompt_chars: 900 },
      ],
    )
    const report = JSON.parse((await home.run('suggest', '--json')).out) as SuggestReport
    assert.deepEqual(
      report.suggestions.map(({ policy, requests, days, unknown }) => [
        policy,
        requests,
        days,
        unknown,
      ]),
      [
        ['bedtime', 3, 3, 0],
        ['privacy', 1, 1, 1],
      ],
    )
    assert.deepEqual(report.inForce, ['homework_helper'])
    assert.deepEqual(report.suggestions[1]?.devices, [{ name: 'tablet', count: 1 }])
    const { out } = await home.run('suggest')
    assert.match(out, /yori policy diff --since 30d --set bedtime\.action=block/)
    assert.ok(!out.includes('4111'))
  })

  it('proposes nothing where there is nothing', async () => {
    await using home = await Home.with(UTC, [evening('18', '10:00:00')])
    assert.match((await home.run('suggest')).out, /^Nothing in 1 requests calls/)
  })
})
