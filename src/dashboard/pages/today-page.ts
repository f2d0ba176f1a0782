/** The last day at a glance: four numbers, who was active when, what was not seen, what waits. */
import { html } from 'htm/preact'
import { useEffect } from 'preact/hooks'
import { useAnswer } from './api.js'
import { Bars, Share } from './bars.js'
import { Card, Empty, Failed, Note, Page } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { brief, hour, money, number, say } from './say.js'
import { connection, listen } from './stream.js'
import { waitingCount } from './waiting.js'

interface UsageLine {
  readonly name: string
  readonly exchanges: number
  readonly calls: number
  readonly blocks: number
  readonly errors: number
  readonly promptTokens: number
  readonly responseTokens: number
  readonly costMicroUsd: number | null
  readonly unpriced: number
}

interface Counts {
  readonly total: number
  readonly inspected: number
  readonly tunnelled: number
  readonly refused: number
  readonly failed: number
}

interface CoverageLine {
  readonly group: keyof Counts
  readonly reason: string
  readonly count: number
  readonly says: string | null
  readonly way_out: string | null
}

export interface Overview {
  readonly now: string
  readonly status: string
  readonly mode: string
  readonly usage: {
    readonly total: UsageLine
    readonly devices: readonly UsageLine[]
    readonly providers: readonly UsageLine[]
    readonly models: readonly UsageLine[]
  }
  readonly activity: {
    readonly hours: readonly string[]
    readonly devices: readonly {
      readonly name: string
      readonly calls: readonly number[]
    }[]
  }
  readonly coverage: {
    readonly since: string
    readonly timezone: string
    readonly all: Counts
    readonly uncounted: number
    readonly reasons: readonly CoverageLine[]
  } | null
  readonly dropped_rows: number
  readonly waiting: {
    readonly untrusting: readonly {
      readonly device: string
      readonly ip: string
      readonly hostname: string | null
      readonly at: string | null
      readonly name: string | null
    }[]
    readonly rotation: string | null
    readonly concerns: readonly string[]
    readonly emergency: boolean
  }
}

/** What is counted is asked for again when something has happened, so often at most. */
const AGAIN_MS = 5_000
const DAY = '24h'

export function TodayPage(): Html {
  const { data, problem, again } = useAnswer<Overview>('/api/overview')
  useEffect(() => {
    let timer: number | undefined
    const stop = listen(() => {
      timer ??= setTimeout(() => {
        timer = undefined
        again()
      }, AGAIN_MS)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [])
  return html`<${Page} title=${say('today')} side=${html`<${Standing} of=${data} />`}>
    <${Failed} problem=${problem} again=${again} />
    ${data === undefined ? null : html`<${Shown} of=${data} />`}
  <//>`
}

function Standing({ of }: { readonly of: Overview | undefined }): Html {
  if (of === undefined) return null
  const isLive = connection.value === 'on'
  const mode =
    of.mode === 'enforce'
      ? 'modeEnforce'
      : of.mode === 'advisory'
        ? 'modeAdvisory'
        : 'modeObserve'
  return html`<span class="soft"
      ><i class=${`dot ${of.status === 'healthy' ? 'on' : 'off'}`}></i
      >${say(of.status === 'healthy' ? 'healthy' : 'degraded')} · ${say(mode)}</span
    ><span class="soft">${isLive ? say('updatesItself') : say('updatesNot')}</span>`
}

function Shown({ of }: { readonly of: Overview }): Html {
  const { usage, activity, waiting } = of
  const labels = activity.hours.map(hour)
  const series = activity.devices.map(({ name, calls }) => ({
    name: name === '(others)' ? say('others') : name,
    values: calls,
  }))
  return html`<${Waiting} of=${waiting} />
    <${Figures} total=${usage.total} devices=${usage.devices} />
    <div class="grid gap">
      <${Card} title=${say('activity')} kind="most">
        ${
          series.length === 0
            ? html`<${Empty} title=${say('nothingYet')}>${say('nothingYetNext')}<//>`
            : html`<${Bars} title=${say('activity')} labels=${labels} series=${series} />`
        }
      <//>
      <${Card} title=${say('seen')} kind="third"><${Coverage} of=${of} /><//>
      <${Card} title=${say('providers')} kind="third">
        <${Shares} lines=${usage.providers} filter="provider" />
      <//>
      <${Card} title=${say('models')} kind="third">
        <${Shares} lines=${usage.models} filter="model" />
      <//>
      <${Card} title=${say('devices')} kind="third">
        <${Shares} lines=${usage.devices} filter="device" />
      <//>
    </div>`
}

function Figures({
  total,
  devices,
}: {
  readonly total: UsageLine
  readonly devices: readonly UsageLine[]
}): Html {
  const asking = devices.filter(({ calls }) => calls > 0)
  const who = asking
    .slice(0, 2)
    .map(({ name }) => name)
    .join(', ')
  const tokens = total.promptTokens + total.responseTokens
  return html`<div class="figures">
    <a class="figure" href=${href(['record'], { since: DAY })}>
      <b>${number(total.calls)}</b><span class="name">${say('asked')}</span>
      <span class="soft">${say('inLastDay')}</span>
    </a>
    <a class="figure" href=${href(['devices'])}>
      <b>${number(asking.length)}</b><span class="name">${say('byWhom')}</span>
      <span class="soft">${who === '' ? say('nobody') : who}</span>
    </a>
    <a class="figure" href=${href(['talks'])}>
      <b>${money(total.costMicroUsd ?? 0)}</b><span class="name">${say('spent')}</span>
      <span class="soft"
        >${say('tokensN', { n: brief(tokens) })}${
          total.unpriced > 0 ? `, ${say('unpricedN', { n: number(total.unpriced) })}` : ''
        }</span
      >
    </a>
    <a
      class=${`figure ${total.blocks > 0 ? 'alarm' : ''}`}
      href=${href(['record'], { since: DAY, outcome: 'block' })}
    >
      <b>${number(total.blocks)}</b><span class="name">${say('blocked')}</span>
      <span class="soft"
        >${total.errors > 0 ? say('failedN', { n: number(total.errors) }) : say('noneFailed')}</span
      >
    </a>
  </div>`
}

function Waiting({ of }: { readonly of: Overview['waiting'] }): Html {
  const { untrusting, rotation, concerns, emergency } = of
  const asks = waitingCount.value
  const lines: unknown[] = [
    ...concerns.map((text) => html`<${Note} kind="bad"><p>${text}</p><//>`),
    emergency ? html`<${Note} kind="warn"><p>${say('emergencyOn')}</p><//>` : null,
    rotation === null
      ? null
      : html`<${Note} kind="warn"
          ><p>${say('rotationDue')} <code>yori ca rotate</code></p>
          <p class="soft">${rotation}</p><//
        >`,
    asks === 0
      ? null
      : html`<${Note}
          ><p>
            <a href=${href(['approvals'])}>${say('asksWait', { n: asks })}</a>
          </p><//
        >`,
    untrusting.length === 0
      ? null
      : html`<${Note} kind="warn"
          ><p>
            <a href=${href(['trust'])}
              >${say('untrustingN', {
                n: untrusting.length,
                who: untrusting
                  .slice(0, 3)
                  .map(({ hostname, ip }) => hostname ?? ip)
                  .join(', '),
              })}</a
            >
          </p><//
        >`,
  ].filter((line) => line !== null)
  return lines.length === 0
    ? null
    : html`<section aria-label=${say('waits')}>${lines}</section>`
}

function Coverage({
  of: { coverage, dropped_rows: dropped },
}: {
  readonly of: Overview
}): Html {
  if (coverage === null || coverage.all.total === 0)
    return html`<${Empty} title=${say('noConnections')}>${say('noConnectionsNext')}<//>`
  const { all, reasons, since, timezone, uncounted } = coverage
  const group = (name: keyof Counts, index: number): unknown =>
    all[name] === 0
      ? null
      : html`<${Share}
          name=${say(GROUPS[name])}
          value=${all[name]}
          all=${all.total}
          index=${index}
        />`
  const unseen = reasons.filter((line) => line.group !== 'inspected').slice(0, 5)
  return html`<ul class="plain">
      ${group('inspected', 0)} ${group('tunnelled', 1)} ${group('refused', 3)}
      ${group('failed', 4)}
    </ul>
    ${
      unseen.length === 0
        ? null
        : html`<h3 class="gap">${say('whyNotSeen')}</h3>
            <ul class="plain">
              ${unseen.map(
                ({ reason, count, says, way_out: wayOut }) =>
                  html`<li class="soft">
                    ${number(count)} ×
                    ${says ?? reason}${wayOut === null ? '' : `: ${wayOut}`}
                  </li>`,
              )}
            </ul>`
    }
    <p class=${dropped + uncounted > 0 ? 'bad' : 'soft'}>
      ${
        dropped + uncounted > 0
          ? say('droppedN', { n: number(dropped + uncounted) })
          : say('noneDropped')
      }
    </p>
    <p class="soft">
      ${say('connectionsSince', { n: number(all.total), since, timezone })}
    </p>`
}

const GROUPS = {
  inspected: 'inspected',
  tunnelled: 'tunnelled',
  refused: 'refused',
  failed: 'failedGroup',
  total: 'inspected',
} as const

function Shares({
  lines,
  filter,
}: {
  readonly lines: readonly UsageLine[]
  readonly filter: string
}): Html {
  const shown = lines.slice(0, 5)
  const all = lines.reduce((sum, { exchanges }) => sum + exchanges, 0)
  if (shown.length === 0) return html`<${Empty} title=${say('nothingYet')} />`
  return html`<ul class="plain">
    ${shown.map(({ name, exchanges, costMicroUsd }) => {
      const isName = !name.startsWith('(')
      const cost = costMicroUsd === null ? '' : ` · ${money(costMicroUsd)}`
      return html`<${Share}
        name=${
          isName
            ? html`<a href=${href(['record'], { since: DAY, [filter]: name })}
                >${name}</a
              >`
            : say(name === '(others)' ? 'others' : 'unknown')
        }
        value=${exchanges}
        all=${all}
        shown=${`${number(exchanges)}${cost}`}
      />`
    })}
  </ul>`
}
