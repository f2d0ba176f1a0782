/**
 * `yori policy bundle`: what is asked and told, what becomes of the file, and what a YORI that
 * runs does from then on.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { PermissionDeniedError } from 'openai'
import { request } from 'undici'
import { parse, stringify } from 'yaml'
import { findConfiguration } from '../../../../src/cli/context.js'
import { loadConfig } from '../../../../config/load.js'
import { formatProblem } from '../../../../config/problem.js'
import type { Config } from '../../../../config/schema.js'
import { bundleCommand } from '../../../../src/cli/commands/policy/policy-bundle.js'
import { systemClock } from '../../../../src/core/clock.js'
import { YoriError } from '../../../../src/core/errors.js'
import { CONSENT_RISK } from '../../../../src/policy/consent.js'
import { Simulator } from '../../../../tools/sim/simulator.js'
import { Controlled } from '../../../support/control.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { openaiSdk } from '../../../support/sdk.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'
import { HTTP_VERSIONS } from '../../../support/yori.js'

interface Ran {
  out: string
  notes: string
  code: number
  asked: string
  failed: string
}

/** Types it; `says` is what a person answers, undefined where there is no terminal. */
async function typed(
  file: string,
  says: boolean | undefined,
  ...args: string[]
): Promise<Ran> {
  const ran: Ran = { out: '', notes: '', code: 0, asked: '', failed: '' }
  const find = (path: string) => loadConfig({ path, env: {}, cwd: '/' })
  const command = bundleCommand({
    find,
    load: () => {
      const loaded = find(file)
      if (loaded.kind === 'ok') return loaded
      const lines = loaded.problems.map(formatProblem)
      throw new YoriError('YORI_CONFIG_INVALID', lines.join('\n'))
    },
    print: (text) => void (ran.out += text),
    note: (text) => void (ran.notes += text),
    clock: systemClock,
    exit: (code) => void (ran.code = code),
    confirm: (question) => {
      ran.asked += question
      return Promise.resolve(says)
    },
    actor: () => 'anna',
  })
  const quiet = (each: Command): void => {
    each.exitOverride().configureOutput({ writeErr: () => undefined })
    each.commands.forEach(quiet)
  }
  quiet(command)
  try {
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    assert.ok(
      error instanceof YoriError || error instanceof CommanderError,
      String(error),
    )
    ran.failed = error.message
  }
  return ran
}

describe('yori policy bundle', () => {
  let folder: TempFolder
  let file: string
  beforeEach(async () => {
    folder = await tempFolder()
    file = folder.file('yori.conf')
  })
  afterEach(() => folder[Symbol.asyncDispose]())

  const write = (text: string): void =>
    writeFileSync(file, `# ours\nstate_dir: ${folder.file('state')}\n${text}`)
  const text = (): string => readFileSync(file, 'utf8')
  const inFile = () => parse(text()) as Config
  const type = (says: boolean | undefined, ...args: string[]) =>
    typed(file, says, ...args)

  it('lists which are in force, and shows what one would change', async () => {
    write('mode: observe\n')
    const before = await type(undefined, 'list')
    assert.match(before.out, /^family +no +bedtime, /m)
    const shown = await type(undefined, 'show', 'family')
    assert.match(shown.out, /bedtime \(blocks\): .*21:00 to 07:00/)
    assert.match(shown.out, /^ {2}mode: enforce, instead of observe$/m)
    assert.match(shown.out, /yori person set NAME --group children/)
    await type(undefined, 'install', 'office', '--yes')
    const listed = await type(undefined, 'list', '--json')
    const { bundles } = JSON.parse(listed.out) as { bundles: Record<string, string>[] }
    assert.deepEqual(
      bundles.map(({ name, in_force }) => [name, in_force]),
      [
        ['agents', 'partly'],
        ['family', 'partly'],
        ['office', 'yes'],
        ['school', 'partly'],
      ],
    )
  })

  it('asks for consent, and changes nothing without', async () => {
    write('mode: observe\n')
    const was = text()
    const declined = await type(false, 'install', 'family')
    assert.equal(declined.code, 1)
    assert.match(declined.asked, /consent/)
    assert.ok(declined.out.includes(CONSENT_RISK))
    const alone = await type(undefined, 'install', 'family')
    assert.equal(alone.code, 1)
    assert.match(alone.notes, /nobody is there to ask, and nothing was changed: --yes/)
    const json = await type(undefined, 'install', 'family', '--json')
    assert.equal(json.code, 1)
    assert.equal((JSON.parse(json.out) as { installed: boolean }).installed, false)
    assert.equal(text(), was)
    assert.ok(!existsSync(folder.file('state', 'settings')))
  })

  it('writes after a yes, keeps comments and all else, and names the file of before', async () => {
    write(
      'mode: observe # for now\naudit: {retention_days: 9}\npolicies:\n  files:\n' +
        '    # Grandpa asked for it.\n    bedtime: {order: 7, params: {days: [friday]}}\n' +
        '    tool_guard: {action: block}\n',
    )
    const was = text()
    const { out, code } = await type(true, 'install', 'family')
    assert.equal(code, 0)
    assert.match(out, /^Stays as it is: tool_guard\.$/m)
    assert.match(out, /^Begins to block, since the file says so already: tool_guard\.$/m)
    assert.match(out, /no YORI runs/)
    const now = inFile()
    assert.match(text(), /^# ours\n/)
    assert.match(text(), /^mode: enforce # for now$/m)
    assert.match(text(), /# Grandpa asked for it\./)
    assert.equal(now.enforcement.consent_accepted, true)
    assert.equal(now.audit.retention_days, 9)
    const { bedtime, tool_guard } = now.policies.files
    assert.equal(bedtime?.order, 7)
    assert.equal(bedtime.action, 'block')
    assert.deepEqual(bedtime.params, {
      days: ['friday'],
      start_hour: 21,
      end_hour: 7,
      groups: ['children', 'teens'],
    })
    assert.deepEqual(tool_guard, { action: 'block' })
    const [, kept = ''] = /The file of before is (\S+);/.exec(out) ?? []
    assert.equal(readFileSync(kept, 'utf8'), was)
    const again = await type(undefined, 'install', 'family')
    assert.match(again.out, /in force already: nothing was changed/)
  })

  it('says what a second one replaces, and leaves the rest of the first', async () => {
    write('mode: observe\n')
    await type(undefined, 'install', 'family', '--yes')
    const first = inFile().policies.files
    const { out } = await type(undefined, 'install', 'school', '--yes')
    assert.match(out, /homework_helper\.action: block, instead of alert$/m)
    assert.match(out, /privacy\.params\.level: strict, instead of moderate$/m)
    assert.match(out, /^Stays as it is: bedtime, daily_allowance\.$/m)
    const second = inFile().policies.files
    assert.deepEqual(second['bedtime'], first['bedtime'])
    assert.deepEqual(second['homework_helper']?.params['groups'], [
      'children',
      'teens',
      'students',
    ])
    assert.equal(readdirSync(folder.file('state', 'settings')).length, 2)
  })

  it('tells programs all of it', async () => {
    write('mode: observe\n')
    const { out, notes } = await type(undefined, 'install', 'agents', '--yes', '--json')
    assert.equal(notes, '')
    const said = JSON.parse(out) as Record<string, unknown>
    assert.equal(said['installed'], true)
    assert.equal(said['running'], false)
    assert.equal(said['file'], file)
    assert.deepEqual(said['overruled'], [])
    assert.deepEqual((said['changes'] as unknown[])[0], {
      key: 'enforcement.consent_accepted',
      from: false,
      to: true,
    })
    assert.ok(existsSync(said['before'] as string))
  })

  it('leaves a file alone that does not hold, or would not', async () => {
    const broken: [string, RegExp][] = [
      ['mode: observ\n', /mode/],
      ['mode: [\n', /is not YAML/],
      ['', /holds no configuration/],
      // A policy of the household's own that cannot be read.
      ['mode: observe\npolicies: {directory: ./own}\n', /own/],
    ]
    for (const [wrong, expected] of broken) {
      if (wrong === '') writeFileSync(file, '# nothing yet\n')
      else write(wrong)
      const was = text()
      const { failed, out } = await type(undefined, 'install', 'family', '--yes')
      assert.match(failed, expected, JSON.stringify(wrong))
      assert.ok(!out.includes('The file of before'))
      assert.equal(text(), was)
    }
  })

  it('names those that there are', async () => {
    write('mode: observe\n')
    assert.match((await type(true, 'install', 'famly')).failed, /family is meant/)
    assert.match((await type(true, 'show', '../..')).failed, /agents, family, office/)
  })

  it('has no file to change where there is none', async () => {
    const command = findConfiguration({ stateDir: folder.file('state') })
    assert.ok(command.kind === 'ok')
    const { targetOf } =
      await import('../../../../src/cli/commands/policy/bundle-write.js')
    const loaded = { ...command, source: 'defaults' }
    await assert.rejects(
      targetOf(
        { load: () => loaded, find: () => loaded, clock: systemClock, actor: 'anna' },
        undefined,
      ),
      /yori config init/,
    )
  })
})

describe('yori policy bundle install, on a YORI that runs', () => {
  it('is taken at once: a child is told no at bedtime, and nobody else', async () => {
    await using simulator = await Simulator.start()
    // Clients go by the real clock, and certificates of ours may lag and not lead.
    const today = new Date()
    const noon = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate())
    const clock = new ManualClock(noon - 2 * 86_400_000 + 12 * 3_600_000)
    await using on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      clock,
      config: {
        enforcement: {
          timezone: 'UTC',
          allowlist: {
            groups: [{ name: 'children', exempt: false, device_ips: ['127.0.0.2'] }],
          },
        },
      },
    })
    const file = on.yori.folder.file('yori.conf')
    writeFileSync(file, `# ours\n${stringify(parse(readFileSync(file, 'utf8')))}`)

    const ran = await typed(file, true, 'install', 'family')
    assert.deepEqual([ran.failed, ran.code], ['', 0])
    assert.match(ran.out, /^Hours are those of UTC\.$/m)
    assert.match(ran.out, /^family is in force\.$/m)
    assert.match(ran.out, /then SIGHUP to YORI\.$/m)
    assert.match(readFileSync(file, 'utf8'), /^# ours\n/)
    const events = await on.yori.rows('audit_log')
    const told = events.find((row) => row['event_type'] === 'control.settings')
    assert.equal(told?.['actor'], 'anna')

    let asked = 0
    const says = async (device: string, version: 'h1' | 'h2'): Promise<string> => {
      const dispatcher = on.yori.dispatcher(device, version)
      const content = `hello ${++asked}`
      return openaiSdk({ dispatcher })
        .chat.completions.create({
          model: 'gpt-4o-mini',
          messages: [{ role: 'user', content }],
        })
        .then(
          () => 'answered',
          (error: unknown) => {
            assert.ok(error instanceof PermissionDeniedError, String(error))
            return error.message
          },
        )
    }
    for (const version of HTTP_VERSIONS)
      assert.equal(await says('127.0.0.2', version), 'answered')
    clock.advance(9 * 3_600_000)
    for (const version of HTTP_VERSIONS) {
      assert.match(await says('127.0.0.2', version), /policy bedtime: it is bedtime/)
      assert.equal(await says('127.0.0.1', version), 'answered')
    }
    // In the language of who reads it: a bundle has no words of its own.
    const page = await request('https://api.openai.com/v1/models', {
      dispatcher: on.yori.dispatcher('127.0.0.2', 'h1'),
      headers: { accept: 'text/html', 'accept-language': 'de-AT,de;q=0.9' },
    })
    const body = await page.body.text()
    assert.match(body, /<p class="why">KI-Dienste sind nachts geschlossen\.<\/p>/)
    clock.advance(10 * 3_600_000)
    assert.equal(await says('127.0.0.2', 'h1'), 'answered')

    const other = on.yori.folder.file('other.conf')
    const elsewhere = await typed(file, true, 'install', 'office', '--config', other)
    assert.match(elsewhere.failed, /reads \S+yori\.conf, not /)
  })
})
