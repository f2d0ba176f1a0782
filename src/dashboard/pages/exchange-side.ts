/** What stands beside a conversation: facts, times, and the forms that can be taken along. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Row } from '../filter.js'
import { cacheShare } from '../turns.js'
import type { Turn } from '../turns.js'
import type { TextKey } from '../texts.js'
import { askText } from './api.js'
import { Card, deviceName, Outcome, textOf } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { idOf } from './rows.js'
import { duration, exactly, money, number, say } from './say.js'

/** What `/api/exchanges/ID` answers. */
export interface Detail {
  readonly exchange: Row
  readonly messages: readonly Turn[]
  readonly tools: {
    readonly called: readonly string[]
    readonly offered: readonly string[]
    readonly arguments: readonly {
      readonly name: string
      readonly id: string | null
      readonly arguments: string
    }[]
    readonly results: readonly { readonly id: string | null; readonly text: string }[]
  }
  readonly timings: {
    readonly latency_ms: number | null
    readonly first_byte_ms: number | null
    readonly first_token_ms: number | null
    readonly tokens_per_second: number | null
  }
  readonly decision: Readonly<Record<string, string | number | null>>
  readonly findings: Readonly<Record<string, number>>
  readonly raw: {
    readonly request_body: string | null
    readonly response_body: string | null
  }
}

export function Facts({ row }: { readonly row: Row }): Html {
  const fact = (name: TextKey, value: unknown): unknown =>
    value === '' || value === null || value === undefined
      ? null
      : html`<dt>${say(name)}</dt>
          <dd>${value}</dd>`
  const tokens = (name: string): string =>
    typeof row[name] === 'number'
      ? `${number(row[name])}${row[`${name}_estimated`] === true ? ` (${say('estimated')})` : ''}`
      : ''
  const share = cacheShare(row['cached_tokens'], row['prompt_tokens'])
  const cost = row['cost_micro_usd']
  const agent = textOf(row, 'agent_id')
  const session = textOf(row, 'session_id')
  return html`<dl class="facts">
    ${fact('outcome', html`<${Outcome} of=${row['event_type']} />`)}
    ${fact('time', exactly(row['timestamp']))} ${fact('device', deviceName(row))}
    ${fact('model', textOf(row, 'model'))}
    ${fact('endpoint', textOf(row, 'endpoint_domain'))}
    ${fact('path', `${textOf(row, 'http_method')} ${textOf(row, 'http_path')}`)}
    ${fact('status', textOf(row, 'response_status'))}
    ${fact('tokensIn', tokens('prompt_tokens'))}
    ${fact('tokensOut', tokens('response_tokens'))}
    ${fact('tokensCached', share === undefined ? tokens('cached_tokens') : `${tokens('cached_tokens')} (${number(Math.round(100 * share))} %)`)}
    ${fact('cost', typeof cost === 'number' ? money(cost) : '')}
    ${fact('finish', textOf(row, 'finish_reason'))}
    ${fact('policy', textOf(row, 'policy_name'))} ${fact('bypass', textOf(row, 'bypass'))}
    ${fact('program', textOf(row, 'user_agent'))}
    ${
      agent === ''
        ? null
        : fact('agent', html`<a href=${href(['talks', agent])}>${agent.slice(0, 16)}</a>`)
    }
    ${
      session === ''
        ? null
        : fact(
            'session',
            html`<a href=${href(['record'], { session })}>${session.slice(0, 16)}</a>`,
          )
    }
    ${fact('requestId', html`<code>${idOf(row)}</code>`)}
  </dl>`
}

/** How the time was spent, as a bar and in numbers. What was not measured is not shown. */
export function Timing({ of: { timings } }: { readonly of: Detail }): Html {
  const { latency_ms: all, first_byte_ms: head, first_token_ms: token } = timings
  if (all === null) return null
  const marks = [head, token].filter((ms): ms is number => ms !== null && ms <= all)
  const first = Math.min(head ?? all, all)
  const second = Math.max(first, Math.min(token ?? first, all))
  const part = (from: number, to: number, index: number): unknown =>
    html`<rect
      class=${`s${index}`}
      x=${from}
      width=${Math.max(0, to - from)}
      height="1"
    />`
  const line = (index: number, name: TextKey, ms: number | null): unknown =>
    ms === null
      ? null
      : html`<li><i class=${`s${index}`}></i>${say(name)} ${duration(ms)}</li>`
  return html`<${Card} title=${say('timing')}>
    ${
      marks.length === 0
        ? null
        : html`<div class="meter">
            <svg
              viewBox=${`0 0 ${Math.max(1, all)} 1`}
              preserveAspectRatio="none"
              aria-hidden="true"
            >
              ${part(0, first, 2)} ${part(first, second, 1)} ${part(second, all, 0)}
            </svg>
          </div>`
    }
    <ul class="legend">
      ${line(2, 'untilHead', head)} ${line(1, 'untilToken', token)}
      ${line(0, 'untilEnd', all)}
    </ul>
    ${
      timings.tokens_per_second === null
        ? null
        : html`<p class="soft">
            ${say('tokensASecond', { n: number(Math.round(timings.tokens_per_second * 10) / 10) })}
          </p>`
    }
  <//>`
}

/** To be copied and saved. */
export function Take({ id }: { readonly id: string }): Html {
  const [text, setText] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  const path = `/api/exchanges/${encodeURIComponent(id)}`
  const copy = async (): Promise<void> => {
    const command = await askText(`${path}/curl`)
    setText(command)
    try {
      await navigator.clipboard.writeText(command)
      setCopied(true)
    } catch {
      // Without a secure context nobody may: it is shown, to be copied by hand.
      setCopied(false)
    }
  }
  return html`<${Card} title=${say('take')}>
    <div class="row">
      <button type="button" onClick=${copy}>${say('copyCurl')}</button>
      <a class="button" href=${`${path}/har`} download>${say('saveHar')}</a>
    </div>
    <p class="soft" role="status">
      ${text === undefined ? '' : say(isCopied ? 'copied' : 'copyByHand')}
    </p>
    ${
      text === undefined
        ? null
        : html`<textarea readonly aria-label="curl" rows="6" value=${text}></textarea>`
    }
  <//>`
}
