/** `yori processor`: who looks at exchanges beside the policies, and what one says. */
import type { Config } from '../../../../config/schema.js'
import { processorOf } from '../../../assembly/from-config/processors.js'
import type { Clock } from '../../../core/clock.js'
import { silentLog } from '../../../core/log.js'
import { failureOf } from '../../../processors/words.js'
import type { Asked, Ruling } from '../../../processors/words.js'
import { noteText } from '../../../processors/verdict.js'
import { Command } from '../../commander.js'
import { cell, table } from '../../print-table.js'
import { usage } from '../../usage.js'

export interface ProcessorCommandDeps {
  readonly config: (path?: string) => Config
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly json?: boolean
  readonly text?: string
}

export function processorCommand(deps: ProcessorCommandDeps): Command {
  const command = new Command('processor').description(
    'other programs that look at exchanges',
  )
  command
    .command('list')
    .description('those of the configuration')
    .option('--config <file>', 'the configuration')
    .option('--json', 'for programs')
    .action((flags: Flags) => {
      list(deps, flags)
    })
  command
    .command('test')
    .description('is it there, how long does it take, and what does it say of a sample')
    .argument('<name>', 'as the configuration has it')
    .option('--config <file>', 'the configuration')
    .option('--text <text>', 'what the sample says', 'hello')
    .option('--json', 'for programs')
    .action((name: string, flags: Flags) => test(deps, name, flags))
  return command
}

function list({ config, print }: ProcessorCommandDeps, flags: Flags): void {
  const { processors } = config(flags.config)
  if (flags.json === true) {
    const rows = processors.map(({ token: _token, ...shown }) => shown)
    print(`${JSON.stringify(rows)}\n`)
    return
  }
  if (processors.length === 0) {
    print('none is configured: see docs/PROCESSORS.md\n')
    return
  }
  const head = ['name', 'dialect', 'action', 'fails', 'events', 'address']
  const rows = processors.map((one) => [
    ...[one.name, one.dialect, one.enabled ? one.action : 'off', one.fail_mode],
    one.events.join(',') || '-',
    cell(one.address),
  ])
  for (const line of table(head, rows)) print(line)
}

async function test(
  { config, clock, print, exit }: ProcessorCommandDeps,
  name: string,
  { text = '', ...flags }: Flags,
): Promise<void> {
  const whole = config(flags.config)
  const entry = whole.processors.find((one) => one.name === name)
  if (entry === undefined) return usage(`no processor is called ${JSON.stringify(name)}`)
  const processor = processorOf(entry, whole, { clock, log: silentLog })
  try {
    const began = clock.monotonic()
    const { name: own, version } = await processor.introduce()
    const reachedMs = clock.monotonic() - began
    const asked = clock.monotonic()
    const heard = await processor.ask(sampleOf(processor.hears('request_body'), text))
    const askedMs = clock.monotonic() - asked
    if (heard.kind === 'failed') throw heard.failure
    const { ruling, audit } = heard.verdict
    const told = {
      ...{ name, is: own, version, ruling: ruling.kind, says: saysOf(ruling) },
      note: noteText(audit),
      handshake_ms: round(reachedMs),
      answer_ms: round(askedMs),
    }
    if (flags.json === true) {
      print(`${JSON.stringify(told)}\n`)
      return
    }
    print(
      `${name} is ${cell(own)} ${cell(version)}, reached in ${told.handshake_ms} ms\n`,
    )
    print(`of a sample it says, in ${told.answer_ms} ms: ${ruling.kind}${told.says}\n`)
    if (told.note !== '') print(`and for the record: ${told.note}\n`)
  } catch (cause) {
    const { kind, message } = failureOf(cause)
    if (flags.json === true) print(`${JSON.stringify({ name, failed: kind, message })}\n`)
    else print(`${name} ${message}\n`)
    exit(1)
  } finally {
    processor.close()
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}

function saysOf(ruling: Ruling): string {
  switch (ruling.kind) {
    case 'allow':
      return ''
    case 'block':
      return ` ${ruling.status ?? 403} ${ruling.text ?? ''}`.trimEnd()
    case 'redirect':
      return ` ${ruling.status} ${ruling.url}`
    case 'challenge':
      return ` ${ruling.type}`
  }
}

function sampleOf(hearsBody: boolean, content: string): Asked {
  const messages = [{ role: 'user', content }]
  const bytes = Buffer.from(JSON.stringify({ model: 'sample', messages }))
  return {
    requestId: 'yori-processor-test',
    head: {
      method: 'POST',
      path: '/v1/chat/completions',
      host: 'api.openai.com',
      protocol: 'HTTP/1.1',
      fields: ['content-type', 'application/json', 'user-agent', 'yori-processor-test'],
      clientAddress: '127.0.0.1',
      clientPort: 0,
      traceparent: undefined,
      provider: 'openai',
      model: 'sample',
      startedAt: Date.now(),
    },
    asksHead: true,
    body: hearsBody ? { bytes, total: bytes.length, isCut: false } : undefined,
  }
}
