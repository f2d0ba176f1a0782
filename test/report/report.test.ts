/** `yori report` by the door of the running YORI and from its files, and sent as mail. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { reportCommand } from '../../src/cli/commands/record/report.js'
import { askRunning } from '../../src/control/ask.js'
import { systemClock } from '../../src/core/clock.js'
import { topicsOf } from '../../src/report/topics.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'
import { HTTP_VERSIONS } from '../support/yori.js'

describe('a report of a running YORI', () => {
  let simulator: Simulator
  let on: Controlled
  let mail: SMTPServer
  const letters: string[] = []
  let isFull = false
  before(async () => {
    mail = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, _session, done) => {
        let text = ''
        stream.on('data', (piece: Buffer) => (text += piece.toString()))
        stream.on('end', () => {
          letters.push(text)
          done(isFull ? new Error('mailbox full') : null)
        })
      },
    })
    mail.listen(0, '127.0.0.1')
    await once(mail.server, 'listening')
    const { port } = mail.server.address() as AddressInfo
    simulator = await Simulator.start()
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        control: { listen: '127.0.0.1:0', language: 'de' },
        enforcement: { timezone: 'Europe/Berlin' },
        alerts: {
          sinks: {
            post: {
              ...{ type: 'email', host: '127.0.0.1', port, starttls: 'off' },
              ...{ from: 'yori@home.example', to: ['ada@home.example'] },
            },
          },
        },
      },
    })
    for (const [index, version] of HTTP_VERSIONS.entries()) {
      const dispatcher = on.yori.dispatcher(`127.0.0.${60 + index}`, version)
      await openaiSdk({ dispatcher }).chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'A recipe for dinner, please' }],
      })
    }
    const named = { name: 'Bo' }
    await on.ask('/api/people', { body: named })
    await on.ask('/api/devices/127.0.0.60/person', { body: { person: 'Bo' } })
    await on.yori.closeClients()
    await on.yori.appliance.audit.flush()
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
    await new Promise<void>((resolve) => mail.close(() => resolve()))
  })

  const command = async (args: readonly string[], isRunning = true) => {
    const [said, notes]: [string[], string[]] = [[], []]
    let code = 0
    const { config } = on.yori.appliance.current
    const made = reportCommand({
      config: () => config,
      clock: systemClock,
      env: { LANG: 'fr_FR.UTF-8' },
      print: (text) => said.push(text),
      note: (text) => notes.push(text),
      exit: (wanted) => (code = wanted),
      ask: (_config, question) =>
        isRunning
          ? askRunning(on.stateDir, question)
          : Promise.resolve({ kind: 'unreachable', reason: 'no YORI runs' }),
    })
    await made.parseAsync([...args], { from: 'user' })
    return { said: said.join(''), notes: notes.join(''), code }
  }
  interface Told {
    readonly people: readonly { readonly name: string; readonly messages: number }[]
    readonly untilMs: number
  }
  const json = async (isRunning: boolean): Promise<object> => {
    const { said } = await command(['--json'], isRunning)
    const {
      sinceMs: _since,
      untilMs: _until,
      ...told
    } = JSON.parse(said) as Told & {
      sinceMs: number
    }
    return told
  }

  it('is the same by its door and from its files', async () => {
    const [told, read] = [await json(true), await json(false)]
    assert.deepEqual(told, read)
    const { people } = told as Told
    assert.deepEqual(people.map(({ name, messages }) => [name, messages]).sort(), [
      ['127.0.0.61', 1],
      ['Bo', 1],
    ])
    assert.match((await command([], false)).notes, /told from the files: no YORI runs/)
  })

  it('is in the language of the household, of one person where that is asked', async () => {
    const { said } = await command(['--person', 'Bo'])
    assert.match(said, /^Bo und KI, /)
    assert.match(said, /Bo \(.*\): 1 min · 1 Nachrichten/)
    assert.match(said, /Worüber: Kochen \(1\)/)
    assert.ok(!said.includes('127.0.0.61'))
    await assert.rejects(command(['--person', 'Cy']), /no such person; there is Bo/)
    await assert.rejects(command(['--since', 'yesterday']), /a span such as 7d/)
    await assert.rejects(command(['--json', '--html']), /One of --html/)
  })

  it('is mailed as text and HTML, and exits with 1 where it is not taken', async () => {
    assert.deepEqual(await command(['--mail']), {
      said: 'post: sent\n',
      notes: 'yori: told by the running YORI\n',
      code: 0,
    })
    const [letter = ''] = letters
    assert.match(letter, /^To: ada@home\.example\r$/m)
    assert.match(letter, /^Subject: .*KI/m)
    assert.match(letter, /multipart\/alternative/)
    isFull = true
    const refused = await command(['--mail', 'post'])
    assert.equal(refused.code, 1)
    assert.match(refused.said, /^post: refused: /)
    await assert.rejects(
      command(['--mail', 'nobody']),
      /There is no such sink.*there is post/,
    )
  })

  it('asks for a role, and says in the record who looked', async () => {
    assert.equal((await on.ask('/api/report', { token: null })).status, 401)
    assert.equal((await on.ask('/api/report?since=1d')).status, 200)
    const looked = (await on.yori.rows('audit_log')).filter(
      (row) => row['event_type'] === 'control.looked',
    )
    assert.ok(looked.some((row) => String(row['details']).includes('report')))
  })

  it('finds topics by words of four languages, and by whole words where it must', () => {
    const topics = (text: string): string[] => [...topicsOf(text)]
    assert.deepEqual(topics('Hausaufgaben: Brüche addieren'), ['school'])
    assert.deepEqual(topics('Une recette de gâteau'), ['food'])
    assert.deepEqual(topics('¿Cuánto cuesta el vuelo?'), ['travel'])
    assert.deepEqual(topics('photosynthesis of the gitter'), ['school'])
    assert.deepEqual(topics('x'.repeat(400) + ' recipe'), [])
  })
})
