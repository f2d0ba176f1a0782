/** Exchanges as a table: on a phone each becomes a small card. */
import { html } from 'htm/preact'
import type { Row, RowFilter } from '../filter.js'
import { deviceName, Outcome, textOf, tokensOf } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { duration, exactly, moment, money, number, say } from './say.js'

interface RowsProps {
  readonly rows: readonly Row[]
  readonly filter: RowFilter
  /** Ids of those that have just come. */
  readonly fresh?: ReadonlySet<string>
  readonly name: string
}

export const idOf = (row: Row): string => textOf(row, 'request_id')

export function Rows({ rows, filter, fresh, name }: RowsProps): Html {
  return html`<table class="flow">
    <caption class="hidden">
      ${name}
    </caption>
    <thead>
      <tr>
        <th scope="col">${say('time')}</th>
        <th scope="col">${say('device')}</th>
        <th scope="col">${say('model')}</th>
        <th scope="col">${say('firstWords')}</th>
        <th scope="col" class="num">${say('tokens')}</th>
        <th scope="col" class="num">${say('cost')}</th>
        <th scope="col" class="num">${say('took')}</th>
        <th scope="col">${say('outcome')}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<${OneRow}
            key=${idOf(row)}
            row=${row}
            filter=${filter}
            isFresh=${fresh?.has(idOf(row)) ?? false}
          />`,
      )}
    </tbody>
  </table>`
}

interface OneProps {
  readonly row: Row
  readonly filter: RowFilter
  readonly isFresh: boolean
}

function OneRow({ row, filter, isFresh }: OneProps): Html {
  const model = textOf(row, 'model') || textOf(row, 'endpoint_domain')
  const words =
    textOf(row, 'prompt_preview') ||
    `${textOf(row, 'http_method')} ${textOf(row, 'http_path')}`
  const tokens = tokensOf(row)
  const cost = row['cost_micro_usd']
  const took = row['latency_ms']
  const why =
    row['event_type'] === 'block'
      ? textOf(row, 'policy_name')
      : row['event_type'] === 'error'
        ? textOf(row, 'code')
        : ''
  const status = Number(row['response_status'] ?? 0)
  const tools = Array.isArray(row['tool_calls']) ? (row['tool_calls'] as string[]) : []
  return html`<tr class=${isFresh ? 'fresh' : ''}>
    <td class="time">
      <a href=${href(['exchange', idOf(row)], filter)} title=${exactly(row['timestamp'])}
        >${moment(row['timestamp'])}</a
      >
    </td>
    <td>${deviceName(row)}</td>
    <th scope="row">${model}</th>
    <td class="words">
      <span class="clip">${words}</span>
      ${
        tools.length === 0
          ? null
          : html`<span class="soft">${say('toolsUsed')}: ${tools.join(', ')}</span>`
      }
    </td>
    <td class="num" data-of=${say('tokens')}>${tokens === 0 ? '' : number(tokens)}</td>
    <td class="num">${typeof cost === 'number' ? money(cost) : ''}</td>
    <td class="num">${typeof took === 'number' ? duration(took) : ''}</td>
    <td>
      <${Outcome} of=${row['event_type']} />
      ${
        status < 400 || row['event_type'] === 'block'
          ? null
          : html` <span class="tag warn">${status}</span>`
      }
      ${why === '' ? null : html` <span class="soft">${why}</span>`}
    </td>
  </tr>`
}
