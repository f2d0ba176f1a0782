/**
 * One exchange: both sides of the conversation, what it did with tools, what was found, how long
 * each part took, and what this turn added to the one before.
 */
import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { filterIn } from '../filter.js'
import type { Row } from '../filter.js'
import { compared, filledBy } from '../turns.js'
import type { Compared, Turn } from '../turns.js'
import type { TextKey } from '../texts.js'
import { ask, useAnswer } from './api.js'
import { Share } from './bars.js'
import { Facts, Take, Timing } from './exchange-side.js'
import type { Detail } from './exchange-side.js'
import { keyOf, listed, moreOf, openList } from './list.js'
import { Card, Empty, Failed, Note, Page, textOf } from './parts.js'
import type { Html } from './parts.js'
import { href, route } from './route.js'
import { idOf } from './rows.js'
import { number, say } from './say.js'

export function ExchangePage({ id = '' }: { readonly id?: string }): Html {
  const { data, problem, again } = useAnswer<Detail>(
    `/api/exchanges/${encodeURIComponent(id)}`,
  )
  return html`<${Page} title=${say('exchange')} side=${html`<${Steps} id=${id} />`}>
    <${Failed} problem=${problem} again=${again} />
    ${data === undefined ? null : html`<${Shown} of=${data} id=${id} />`}
  <//>`
}

/** To the next and the one before, under the filter of the address. */
function Steps({ id }: { readonly id: string }): Html {
  const filter = filterIn(route.value.query)
  const key = keyOf(filter)
  const list = listed.value?.of === key ? listed.value : undefined
  useEffect(() => {
    if (listed.peek()?.of !== key) openList(filter).catch(() => undefined)
  }, [key])
  const rows = list?.rows ?? []
  const at = rows.findIndex((row) => idOf(row) === id)
  const isLast = at >= 0 && at === rows.length - 1
  useEffect(() => {
    if (isLast) moreOf(filter).catch(() => undefined)
  }, [isLast, rows.length])
  const newer = at > 0 ? rows[at - 1] : undefined
  const older = at >= 0 ? rows[at + 1] : undefined
  const step = (row: Row | undefined, text: TextKey, rel: string): unknown =>
    row === undefined
      ? html`<button type="button" disabled>${say(text)}</button>`
      : html`<a class="button" rel=${rel} href=${href(['exchange', idOf(row)], filter)}
          >${say(text)}</a
        >`
  return html`<div class="row">
    <a class="button" href=${href(['live'], filter)}>${say('toList')}</a>
    ${step(newer, 'newer', 'prev')} ${step(older, 'older', 'next')}
  </div>`
}

function Shown({ of, id }: { readonly of: Detail; readonly id: string }): Html {
  const { exchange: row, tools, decision, findings, raw } = of
  const found = Object.entries(findings)
  return html`<div class="grid">
    <div class="most">
      ${
        row['event_type'] === 'block'
          ? html`<${Note} kind="bad"
              ><p class="strong">
                ${say('blockedBy', { policy: textOf(row, 'policy_name') })}
              </p>
              <p>${decision['message'] ?? decision['reason'] ?? ''}</p><//
            >`
          : row['event_type'] === 'error'
            ? html`<${Note} kind="warn"
                ><p class="strong">${textOf(row, 'code')}</p>
                <p>${textOf(row, 'reason')}</p><//
              >`
            : null
      }
      <${Talk} of=${of} id=${id} />
      <${Tools} of=${tools} />
      ${
        raw.request_body === null && raw.response_body === null
          ? null
          : html`<${Card} title=${say('raw')}>
              <${Raw} title=${say('request')} text=${raw.request_body} />
              <${Raw} title=${say('answer')} text=${raw.response_body} />
            <//>`
      }
    </div>
    <div class="third">
      <${Card} title=${say('facts')}><${Facts} row=${row} /><//>
      <${Timing} of=${of} />
      <${Filled} of=${of.messages} />
      ${
        found.length === 0
          ? null
          : html`<${Card} title=${say('found')}>
              <ul class="plain">
                ${found.map(
                  ([kind, count]) =>
                    html`<li>
                      <span class="tag warn">${kind}</span> ${number(Number(count))} ×
                    </li>`,
                )}
              </ul>
            <//>`
      }
      <${Take} id=${id} />
    </div>
  </div>`
}

interface Session {
  readonly exchanges: readonly Row[]
}

/** The one before of the same session; undefined while that is not known. */
function useBefore(row: Row, id: string): Detail | null | undefined {
  const session = textOf(row, 'session_id')
  const [before, setBefore] = useState<Detail | null>()
  useEffect(() => {
    setBefore(undefined)
    if (session === '') return setBefore(null)
    let isOver = false
    const find = async (): Promise<Detail | null> => {
      const { exchanges } = await ask<Session>(
        `/api/session/${encodeURIComponent(session)}`,
      )
      const at = exchanges.findIndex((one) => idOf(one) === id)
      const earlier = exchanges[at - 1]
      if (at < 1 || earlier === undefined) return null
      return ask<Detail>(`/api/exchanges/${encodeURIComponent(idOf(earlier))}`)
    }
    find()
      .then((detail) => isOver || setBefore(detail))
      .catch(() => isOver || setBefore(null))
    return () => {
      isOver = true
    }
  }, [session, id])
  return before
}

const isAbsent = (before: Detail | null | undefined): before is null | undefined =>
  before === null || before === undefined

function Talk({ of, id }: { readonly of: Detail; readonly id: string }): Html {
  const { exchange: row, messages } = of
  const before = useBefore(row, id)
  if (messages.length === 0)
    return html`<${Card} title=${say('conversation')}>
      ${
        textOf(row, 'prompt_preview') === ''
          ? null
          : html`<${Message}
              turn=${{ role: 'user', text: textOf(row, 'prompt_preview') }}
            />`
      }
      <${Empty} title=${say('notKept')}
        >${say('notKeptNext')} <code>audit.bodies: both</code><//
      >
    <//>`
  const against: Compared = isAbsent(before)
    ? { same: 0, gone: [] }
    : compared(before.messages, messages)
  const old = messages.slice(0, against.same)
  return html`<${Card} title=${say('conversation')}>
    ${
      isAbsent(before)
        ? null
        : html`<p class="soft">
            <a href=${href(['exchange', idOf(before.exchange)], route.value.query)}
              >${say('turnBefore')}</a
            >: ${say('sameN', { n: against.same, m: messages.length - against.same })}
          </p>`
    }
    ${
      old.length === 0
        ? null
        : html`<details>
            <summary>${say('earlierN', { n: old.length })}</summary>
            ${old.map((turn) => html`<${Message} turn=${turn} />`)}
          </details>`
    }
    ${
      against.gone.length === 0
        ? null
        : html`<details>
            <summary class="warn">${say('goneN', { n: against.gone.length })}</summary>
            ${against.gone.map((turn) => html`<${Message} turn=${turn} />`)}
          </details>`
    }
    ${messages
      .slice(against.same)
      .map((turn) => html`<${Message} turn=${turn} isNew=${!isAbsent(before)} />`)}
  <//>`
}

const ROLES: Readonly<Record<string, TextKey>> = {
  user: 'roleUser',
  assistant: 'roleAssistant',
  model: 'roleAssistant',
  system: 'roleSystem',
  developer: 'roleSystem',
  tool: 'roleTool',
  function: 'roleTool',
}

/** By whom the conversation was filled. One side alone is no share. */
function Filled({ of }: { readonly of: readonly Turn[] }): Html {
  const parts = filledBy(of)
  if (parts.length < 2) return null
  const all = parts.reduce((sum, { characters }) => sum + characters, 0)
  return html`<${Card} title=${say('filledBy')}>
    <ul class="plain">
      ${parts.map(({ role, characters }) => {
        const key = ROLES[role]
        return html`<${Share}
          name=${key === undefined ? role : say(key)}
          value=${characters}
          all=${all}
          shown=${`${number(characters)} · ${number(Math.round((100 * characters) / all))} %`}
        />`
      })}
    </ul>
    <p class="soft">${say('filledIn')}</p>
  <//>`
}

/** Longer ones are opened by hand. */
const LONG = 1_500

function Message({
  turn: { role, text },
  isNew = false,
}: {
  readonly turn: Turn
  readonly isNew?: boolean
}): Html {
  const key = ROLES[role]
  const kind = role === 'model' ? 'assistant' : role
  return html`<article class=${`turn ${kind} ${isNew ? 'new' : ''}`}>
    <header>
      <span>${key === undefined ? role : say(key)}</span>
      ${isNew ? html`<span>${say('isNew')}</span>` : null}
    </header>
    ${
      text.length <= LONG
        ? html`<pre>${text}</pre>`
        : html`<pre>${text.slice(0, LONG)} …</pre>
            <details>
              <summary>${say('restN', { n: number(text.length - LONG) })}</summary>
              <pre>${text.slice(LONG)}</pre>
            </details>`
    }
  </article>`
}

function Tools({ of }: { readonly of: Detail['tools'] }): Html {
  const { called, offered, arguments: calls, results } = of
  if (called.length + offered.length + results.length === 0) return null
  const plain =
    calls.length === 0 ? called.map((name) => ({ name, arguments: '' })) : calls
  return html`<${Card} title=${say('tools')}>
    ${plain.map(
      (call) =>
        html`<div class="turn tool">
          <header><span>${say('toolCalled')}</span><code>${call.name}</code></header>
          ${call.arguments === '' ? null : html`<pre>${call.arguments}</pre>`}
        </div>`,
    )}
    ${results.map(
      (result) =>
        html`<div class="turn">
          <header>
            <span>${say('toolResult')}</span><code>${result.id ?? ''}</code>
          </header>
          <pre>${result.text}</pre>
        </div>`,
    )}
    ${
      offered.length === 0
        ? null
        : html`<p class="soft">${say('toolsOffered')}: ${offered.join(', ')}</p>`
    }
  <//>`
}

function Raw({
  title,
  text,
}: {
  readonly title: string
  readonly text: string | null
}): Html {
  if (text === null) return html`<p class="soft">${title}: ${say('notKept')}</p>`
  return html`<details>
    <summary>${title}, ${number(text.length)}</summary>
    <pre tabindex="0">${text}</pre>
  </details>`
}
