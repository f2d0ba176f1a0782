/**
 * How `yori sessions` and `yori stats` print. Pure: lines out of rows. What was not kept is
 * said, not passed over: an empty line could be taken for silence.
 */
import { printable } from '../../../audit/printable.js'
import type { Listed } from '../../../audit/queries.js'
import type { SessionLine, Usage, UsageLine } from '../../../audit/session-queries.js'
import { readTranscript } from '../../../conversations/transcript.js'
import type { Transcript } from '../../../conversations/transcript.js'
import { zoneText } from '../../../core/moment-text.js'
import { wallText } from './audit-text.js'
import { cell, dollars, table, tokens } from '../../print-table.js'

/** After the time of the last one. */
const SESSIONS_HEAD = [
  'session',
  'device',
  'models',
  'exchanges',
  'tokens',
  'USD',
  'note',
]

/** Times in `zone`, or the system's. */
export function sessionsText(
  lines: readonly SessionLine[],
  zone?: string,
): Iterable<string> {
  if (lines.length === 0) return ['no session recorded that fits\n']
  return table(
    [`last (${zoneText(zone)})`, ...SESSIONS_HEAD],
    lines.map((line) => [
      wallText(line.lastAt, zone),
      cell(line.name),
      cell(line.device),
      cell(line.models.replaceAll(',', ' ')),
      String(line.exchanges),
      lineTokens(line),
      cost(line),
      line.fragmented ? 'its beginning was not seen' : '',
    ]),
  )
}

const USAGE_HEAD = ['calls', 'exchanges', 'sessions', 'errors', 'blocks', 'tokens', 'USD']

/** Days of `zone`, or the system's. */
export function* usageText(usage: Usage, zone?: string): Iterable<string> {
  const tables = [
    ['device', usage.devices],
    ['provider', usage.providers],
    ['model', usage.models],
    ['key', usage.keys],
    ['tag', usage.tags],
    [`day (${zoneText(zone)})`, usage.days],
  ] as const
  for (const [name, lines] of tables) {
    if (lines.length === 0 && (name === 'key' || name === 'tag')) continue
    yield* table([...USAGE_HEAD, name], lines.map(usageCells))
    yield '\n'
  }
  yield* table([...USAGE_HEAD, ''], [usageCells({ ...usage.total, name: '' })])
  const { unpriced, atMostMicroUsd, promptEstimated, responseEstimated } = usage.total
  if (unpriced > 0) {
    const have = unpriced === 1 ? 'exchange has' : 'exchanges have'
    const most =
      atMostMicroUsd > 0
        ? `; budgets count ${dollars(atMostMicroUsd)} for them, the most that they can have cost`
        : ''
    yield `${unpriced} ${have} no known price: not in the sum${most}\n`
  }
  yield* partsText(usage.total)
  if (promptEstimated + responseEstimated > 0)
    yield `~ ${promptEstimated} of the tokens in and ${responseEstimated} of those out are estimated\n`
  if (usage.unseen.length === 0) return
  yield '\n'
  yield* table(
    ['not read', 'why', 'path'],
    usage.unseen.map(({ count, reason, path }) => [
      String(count),
      cell(reason),
      cell(path),
    ]),
  )
}

/** Tokens are input and output; parts of them have prices of their own. */
function* partsText(line: UsageLine): Iterable<string> {
  const parts = [
    [line.cachedTokens, 'in were read from a cache'],
    [line.cacheWriteTokens, 'in were written to one'],
    [line.reasoningTokens, 'out were reasoning'],
  ] as const
  const said = parts.filter(([count]) => count > 0).map((part) => part.join(' '))
  if (said.length > 0) yield `of the tokens ${said.join(', ')}\n`
}

function usageCells(line: UsageLine): string[] {
  return [
    String(line.calls),
    String(line.exchanges),
    String(line.sessions),
    String(line.errors),
    String(line.blocks),
    lineTokens(line),
    cost(line),
    cell(line.name),
  ]
}

function lineTokens(line: UsageLine): string {
  return tokens(
    { input: line.promptTokens, output: line.responseTokens },
    { input: line.promptEstimated, output: line.responseEstimated },
  )
}

/** `+` where more was used than has a known price. */
function cost(line: UsageLine): string {
  if (line.costMicroUsd === null) return '-'
  return `${dollars(line.costMicroUsd)}${line.unpriced > 0 ? '+' : ''}`
}

export interface Turn {
  readonly requestId: string
  readonly at: string
  readonly model: string | null
  readonly outcome: string
  readonly status: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly inputEstimated: boolean
  readonly outputEstimated: boolean
  readonly costMicroUsd: number | null
  readonly finishReason: string | null
  /** The user's newest words, or their beginning; null when they were not kept. */
  readonly asked: string | null
  readonly askedKept: 'whole' | 'preview' | 'none'
  readonly toolResults: readonly string[]
  /** Null when the answer was not kept, or holds no text. */
  readonly answered: string | null
  readonly answerKept: boolean
  /** Names, and arguments where the answer was kept. */
  readonly toolCalls: readonly string[]
}

export interface Conversation {
  readonly session: string
  readonly device: string
  readonly agentId: string | null
  readonly fragmented: boolean
  readonly turns: readonly Turn[]
}

/** One conversation a device: an id that a client gave may be several devices'. */
export function conversationsOf(rows: readonly Listed[]): Conversation[] {
  const byDevice = new Map<string, Listed[]>()
  for (const row of rows) {
    const device = String(row['device_mac'] ?? row['device_ip'])
    const list = byDevice.get(device)
    if (list === undefined) byDevice.set(device, [row])
    else list.push(row)
  }
  return [...byDevice.values()].map((list) => {
    const [first] = list
    return {
      session: String(first?.['session_id']),
      device: String(first?.['device_hostname'] ?? first?.['device_ip']),
      agentId: textOf(first?.['agent_id']),
      fragmented: list.some((row) => row['fragmented'] === 1),
      turns: list.map(turnOf),
    }
  })
}

function turnOf(row: Listed): Turn {
  const requestBody = textOf(row['request_body'])
  const responseBody = textOf(row['response_body'])
  const said = readTranscript({
    host: String(row['endpoint_domain']),
    method: String(row['http_method']),
    path: String(row['http_path']),
    status: Number(row['response_status'] ?? 200),
    requestBody: requestBody ?? undefined,
    responseBody: responseBody ?? undefined,
  })
  const preview = textOf(row['prompt_preview'])
  const asked = said.asked ?? preview
  return {
    requestId: String(row['request_id']),
    at: String(row['timestamp']),
    model: textOf(row['model']),
    outcome: String(row['event_type']),
    status: numberOf(row['response_status']),
    inputTokens: numberOf(row['prompt_tokens']),
    outputTokens: numberOf(row['response_tokens']),
    inputEstimated: (row['prompt_tokens_estimated'] ?? row['tokens_estimated']) === 1,
    outputEstimated: (row['response_tokens_estimated'] ?? row['tokens_estimated']) === 1,
    costMicroUsd: numberOf(row['cost_micro_usd']),
    finishReason: textOf(row['finish_reason']),
    asked,
    askedKept: asked === null ? 'none' : said.asked === undefined ? 'preview' : 'whole',
    toolResults: said.results.map(({ text }) => text),
    answered: said.answered ?? null,
    answerKept: responseBody !== null,
    toolCalls: responseBody === null ? toolNames(row['tool_calls']) : toolCalls(said),
  }
}

function toolCalls(said: Transcript): string[] {
  return said.calls.map(({ name, argumentsText }) => `${name}(${argumentsText})`)
}

function toolNames(text: Listed[string] | undefined): string[] {
  try {
    const names: unknown = JSON.parse(String(text ?? '[]'))
    return Array.isArray(names) ? names.map(String) : []
  } catch {
    return []
  }
}

const textOf = (value: Listed[string] | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null
const numberOf = (value: Listed[string] | undefined): number | null =>
  typeof value === 'number' ? value : null

/** Times in `zone`, or the system's. */
export function* conversationText(
  conversation: Conversation,
  zone?: string,
): Iterable<string> {
  const { session, device, agentId, fragmented, turns } = conversation
  const agent = agentId === null ? '' : `  agent ${cell(agentId)}`
  yield `session ${cell(session)}  ${cell(device)}${agent}  ${turns.length} exchanges\n`
  if (fragmented) yield 'It began before YORI saw it: earlier turns are not here.\n'
  const told = new Set<string>()
  for (const turn of turns) yield* turnText(turn, told, zone)
  const missing = turns.filter(({ askedKept }) => askedKept !== 'whole').length
  const answers = turns.filter(({ answerKept }) => !answerKept).length
  if (missing + answers === 0) return
  yield `\nNot kept whole: ${missing} of ${turns.length} prompts, `
  yield `${answers} of ${turns.length} answers (audit.bodies says what is kept).\n`
}

/** `told`: results of tools that earlier turns have shown; requests repeat them. */
function* turnText(
  turn: Turn,
  told: Set<string>,
  zone: string | undefined,
): Iterable<string> {
  const { inputTokens: input, outputTokens: output } = turn
  const estimated = {
    input: turn.inputEstimated ? 1 : 0,
    output: turn.outputEstimated ? 1 : 0,
  }
  const used = tokens({ input, output }, estimated)
  yield `\n${wallText(turn.at, zone)}  ${cell(turn.model)}  ${turn.outcome} ${cell(turn.status)}`
  yield `  ${used} tokens  ${dollars(turn.costMicroUsd)} USD\n`
  for (const result of turn.toolResults) {
    if (told.has(result)) continue
    told.add(result)
    yield* said('result', result)
  }
  if (turn.asked === null) yield '  user       (not kept)\n'
  else
    yield* said('user', turn.asked + (turn.askedKept === 'preview' ? ' (preview)' : ''))
  if (turn.answered !== null) yield* said('assistant', turn.answered)
  else if (!turn.answerKept) yield '  assistant  (not kept)\n'
  for (const call of turn.toolCalls) yield* said('calls', call)
}

/** A text keeps its lines, each of them made safe for the terminal. */
function* said(who: string, text: string): Iterable<string> {
  let name = who
  for (const line of text.split('\n')) {
    yield `  ${name.padEnd(9)}  ${printable(line)}\n`
    name = ''
  }
}
