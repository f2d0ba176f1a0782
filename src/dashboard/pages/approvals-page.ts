/** What was refused in the last day, why, and what an adult says to it. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Row } from '../filter.js'
import type { TextKey } from '../texts.js'
import { ask, may, Problem, useAnswer } from './api.js'
import { Card, deviceName, Empty, Failed, Page, textOf } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { idOf } from './rows.js'
import { ago, exactly, say } from './say.js'
import { countWaiting } from './waiting.js'

interface Blocked {
  readonly code: string
  readonly answer: 'approved' | 'denied' | null
  /** Somebody pressed Ask on the block page. */
  readonly asked: boolean
  readonly exchange: Row
}

interface Grant {
  readonly id: string
  readonly policy: string
  readonly endpoint?: string
  readonly ip?: string
  readonly mac?: string
  readonly until: number
  readonly once: boolean
}

/** Not refused yet: it waits for the answer. */
interface Held {
  readonly code: string
  readonly device: {
    readonly ip: string
    readonly mac: string | null
    readonly hostname: string | null
  }
  readonly policy: string
  readonly endpoint: string
  readonly reason: string
  readonly since: string
}

interface Approvals {
  readonly grants: readonly Grant[]
  readonly held: readonly Held[]
  readonly blocked: readonly Blocked[]
}

/** After that nobody means a date any more. */
const FOR_GOOD = Date.parse('9000-01-01')

export function ApprovalsPage(): Html {
  const { data, problem, again } = useAnswer<Approvals>('/api/approvals')
  const [failed, setFailed] = useState<Problem>()
  const [told, setTold] = useState('')
  const act = async (work: () => Promise<unknown>, text: string): Promise<void> => {
    setFailed(undefined)
    setTold('')
    try {
      await work()
      setTold(text)
      again()
      void countWaiting()
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setFailed(cause)
    }
  }
  const refused = data?.blocked.filter(({ answer }) => answer === null) ?? []
  const waiting = [...(data?.held.map(asBlocked) ?? []), ...refused]
  const open = waiting.sort((a, b) => Number(b.asked) - Number(a.asked))
  const answered = data?.blocked.filter(({ answer }) => answer !== null) ?? []
  return html`<${Page} title=${say('approvals')}>
    <${Failed} problem=${problem} again=${again} />
    <${Failed} problem=${failed} />
    <p class="soft" role="status">${told}</p>
    ${
      data === undefined
        ? null
        : html`<${Card} title=${say('asksOpen')}>
              ${
                open.length === 0
                  ? html`<${Empty} title=${say('nothingWaits')}
                      >${say('nothingWaitsNext')}<//
                    >`
                  : open.map(
                      (one) => html`<${Ask} key=${one.code} of=${one} act=${act} />`,
                    )
              }
            <//>
            <${Grants} of=${data.grants} act=${act} />
            ${
              answered.length === 0
                ? null
                : html`<${Card} title=${say('asksAnswered')}>
                    ${answered.map(
                      (one) => html`<${Ask} key=${one.code} of=${one} act=${act} />`,
                    )}
                  <//>`
            }`
    }
  <//>`
}

function asBlocked({ code, device, policy, endpoint, reason, since }: Held): Blocked {
  const { ip, mac, hostname } = device
  const exchange: Row = {
    ...{ device_ip: ip, device_mac: mac, device_hostname: hostname, timestamp: since },
    ...{ policy_name: policy, endpoint_domain: endpoint, reason },
  }
  return { code, answer: null, asked: true, exchange }
}

type Act = (work: () => Promise<unknown>, told: string) => Promise<void>

const WAYS: readonly (readonly [TextKey, object])[] = [
  ['approveOnce', { once: true }],
  ['approve30', { for: '30m' }],
  ['approveAll30', { for: '30m', anything: true }],
  ['approveAlways', { always: true }],
]

function Ask({ of, act }: { readonly of: Blocked; readonly act: Act }): Html {
  const { code, exchange: row, answer, asked } = of
  const path = `/api/approvals/${encodeURIComponent(code)}`
  const approve = (body: object): Promise<void> =>
    act(() => ask(`${path}/approve`, { method: 'POST', body }), say('approvedTold'))
  const deny = (): Promise<void> =>
    act(() => ask(`${path}/deny`, { method: 'POST' }), say('deniedTold'))
  const found =
    typeof row['findings'] === 'object' ? Object.keys(row['findings'] as object) : []
  return html`<article class="ask" aria-label=${`${deviceName(row)}, ${code}`}>
    <div class="row spread">
      <h3>
        ${deviceName(row)}
        ${asked ? html` <span class="tag warn">${say('asksForIt')}</span>` : null}
      </h3>
      <span class="soft" title=${exactly(row['timestamp'])}
        >${ago(row['timestamp'])}</span
      >
    </div>
    <p>${textOf(row, 'prompt_preview') || textOf(row, 'http_path')}</p>
    <p class="soft">
      ${say('blockedBy', { policy: textOf(row, 'policy_name') })}${` · `}
      ${textOf(row, 'model') || textOf(row, 'endpoint_domain')}
    </p>
    <p>
      ${found.map((kind) => html`<span class="tag warn">${kind}</span> `)}
      ${textOf(row, 'policy_message') || textOf(row, 'reason')}
    </p>
    <div class="row">
      ${
        may('household')
          ? html`${WAYS.map(
              ([text, body], index) =>
                html`<button
                  type="button"
                  class=${index === 1 && answer === null ? 'first' : ''}
                  onClick=${() => approve(body)}
                >
                  ${say(text)}
                </button>`,
            )}
            ${
              answer === null
                ? html`<button type="button" class="danger" onClick=${deny}>
                    ${say('deny')}
                  </button>`
                : null
            }`
          : html`<span class="soft">${say('mayNot')}</span>`
      }
      ${
        answer === null
          ? null
          : html`<span class=${`tag ${answer === 'approved' ? 'good' : 'bad'}`}
              >${say(answer === 'approved' ? 'approved' : 'denied')}</span
            >`
      }
      <a class="button" href=${href(['exchange', idOf(row)], { outcome: 'block' })}
        >${say('look')}</a
      >
      <code>${code}</code>
    </div>
  </article>`
}

function Grants({ of, act }: { readonly of: readonly Grant[]; readonly act: Act }): Html {
  const now = of.filter(({ until }) => until > Date.now())
  if (now.length === 0) return null
  const revoke = (id: string): Promise<void> =>
    act(
      () => ask(`/api/grants/${encodeURIComponent(id)}`, { method: 'DELETE' }),
      say('revokedTold'),
    )
  return html`<${Card} title=${say('grantsNow')}>
    <ul class="plain">
      ${now.map(
        ({ id, ip, mac, policy, until, once }) =>
          html`<li class="row spread line">
            <span
              >${mac ?? ip ?? ''} · ${policy}${' · '}
              <span class="soft"
                >${
                  once
                    ? say('onceOnly')
                    : until > FOR_GOOD
                      ? say('untilRevoked')
                      : say('untilT', { t: exactly(until) })
                }</span
              ></span
            >
            ${
              may('household')
                ? html`<button type="button" onClick=${() => revoke(id)}>
                    ${say('revoke')}
                  </button>`
                : null
            }
          </li>`,
      )}
    </ul>
  <//>`
}
