/** The inbox of alerts: what happened, who was told, and what somebody says to it. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { TextKey } from '../texts.js'
import { ask, may, Problem, useAnswer } from './api.js'
import { Card, Empty, Failed, Note, Page } from './parts.js'
import type { Html } from './parts.js'
import { ago, exactly, say } from './say.js'

interface Delivery {
  readonly sink: string
  readonly state: string
}

interface Alert {
  readonly id: string
  readonly rule: string
  readonly timestamp: string
  readonly last_at: string
  readonly count: number
  readonly state: string
  readonly device: { readonly id: string; readonly hostname?: string } | null
  readonly user: string | null
  readonly policy: string | null
  readonly reason: string
  readonly deliveries: readonly Delivery[]
}

interface Inbox {
  readonly alerts: readonly Alert[]
  readonly sinks: readonly string[]
  readonly waiting: number
  readonly dropped: number
}

const TITLES: Readonly<Record<string, TextKey>> = {
  blocked: 'alertBlocked',
  ask: 'alertAsk',
  alerted: 'alertAlerted',
  finding: 'alertFinding',
  budget: 'alertBudget',
  unusual: 'alertUnusual',
  new_device: 'alertNewDevice',
  new_service: 'alertNewService',
  coverage_drop: 'alertCoverage',
  untrusted: 'alertUntrusted',
  steering_off: 'alertSteering',
  disk: 'alertDisk',
  ca: 'alertCa',
  audit_loss: 'alertAuditLoss',
  runaway: 'alertRunaway',
}

const STATES: Readonly<Record<string, readonly [kind: string, text: TextKey]>> = {
  sent: ['good', 'alertSent'],
  waiting: ['warn', 'alertWaiting'],
  failed: ['bad', 'alertFailed'],
}

type Act = (work: () => Promise<unknown>, told: string) => Promise<void>

export function AlertsPage(): Html {
  const { data, problem, again } = useAnswer<Inbox>('/api/alerts?all=yes')
  const [failed, setFailed] = useState<Problem>()
  const [told, setTold] = useState('')
  const act: Act = async (work, text) => {
    setFailed(undefined)
    setTold('')
    try {
      await work()
      setTold(text)
      again()
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setFailed(cause)
    }
  }
  return html`<${Page} title=${say('alerts')}>
    <${Failed} problem=${problem} again=${again} />
    <${Failed} problem=${failed} />
    <p class="soft" role="status">${told}</p>
    ${data === undefined ? null : html`<${Shown} of=${data} act=${act} />`}
  <//>`
}

function Shown({ of, act }: { readonly of: Inbox; readonly act: Act }): Html {
  const { alerts, sinks, waiting, dropped } = of
  return html`${
      dropped === 0
        ? null
        : html`<${Note} kind="bad"><p>${say('alertsDropped', { n: dropped })}</p><//>`
    }
    <div class="grid">
      <${Card} title=${say('alertInbox')} kind="most">
        ${
          alerts.length === 0
            ? html`<${Empty} title=${say('noAlerts')}>${say('noAlertsNext')}<//>`
            : alerts.map((one) => html`<${One} key=${one.id} of=${one} act=${act} />`)
        }
      <//>
      <div class="third">
        <${Card} title=${say('alertSinks')}>
          ${
            sinks.length === 0
              ? html`<p>${say('noSinks')} <code>alerts.sinks</code></p>`
              : sinks.map((name) => html`<${Sink} key=${name} name=${name} act=${act} />`)
          }
          <p class="soft">${say('alertsWaiting', { n: waiting })}</p>
        <//>
      </div>
    </div>`
}

function One({ of, act }: { readonly of: Alert; readonly act: Act }): Html {
  const { id, rule, state, count, device, user, policy, reason, deliveries } = of
  const title = TITLES[rule] === undefined ? rule : say(TITLES[rule])
  const place = device?.hostname ?? device?.id
  const whom = [user, place, policy].filter(Boolean).join(' · ')
  const post = (what: 'ack' | 'snooze', text: TextKey): Promise<void> =>
    act(
      () => ask(`/api/alerts/${encodeURIComponent(id)}/${what}`, { method: 'POST' }),
      say(text),
    )
  return html`<article class="ask" aria-label=${`${title}, ${whom}`}>
    <div class="row spread">
      <h3>${title}</h3>
      <span class="soft" title=${exactly(of.timestamp)}>${ago(of.last_at)}</span>
    </div>
    <p>${reason}</p>
    <p class="soft">${whom}${count > 1 ? ` · ${say('times', { n: count })}` : ''}</p>
    <div class="row">
      ${deliveries.map(({ sink, state: came }) => {
        const [kind, text] = STATES[came] ?? ['quiet', undefined]
        const says = text === undefined ? came : say(text)
        return html`<span class=${`tag ${kind}`}>${sink}: ${says}</span>`
      })}
      ${
        state !== 'new'
          ? html`<span class="tag quiet"
              >${say(state === 'snoozed' ? 'alertAsleep' : 'alertKnown')}</span
            >`
          : may('household')
            ? html`<button
                  type="button"
                  class="first"
                  onClick=${() => post('ack', 'alertKnownTold')}
                >
                  ${say('alertAck')}</button
                ><button type="button" onClick=${() => post('snooze', 'alertAsleepTold')}>
                  ${say('alertSnooze')}
                </button>`
            : null
      }
    </div>
  </article>`
}

function Sink({ name, act }: { readonly name: string; readonly act: Act }): Html {
  const test = (): Promise<void> =>
    act(
      async () => {
        const body = { sink: name }
        const { taken, reason } = await ask<{ taken: boolean; reason: string | null }>(
          '/api/alerts/test',
          { method: 'POST', body },
        )
        if (!taken) throw new Problem(502, reason ?? say('alertFailed'), {})
      },
      say('sinkTook', { name }),
    )
  return html`<div class="row spread line">
    <span>${name}</span>
    ${
      may('admin')
        ? html`<button type="button" onClick=${test}>${say('sinkTest')}</button>`
        : null
    }
  </div>`
}
