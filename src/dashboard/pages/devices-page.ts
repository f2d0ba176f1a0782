/** Devices and the people whose they are: names, groups, and what holds for a while. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { ask, may, Problem, useAnswer } from './api.js'
import type { Asking } from './api.js'
import { Card, Empty, Failed, Page } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { ago, brief, exactly, moment, money, number, say } from './say.js'

interface Device {
  readonly id: string
  readonly ip: string
  readonly mac: string | null
  readonly hostname: string | null
  readonly calls: number
  readonly blocks: number
  readonly errors: number
  readonly tokens: number
  readonly cost_micro_usd: number | null
  readonly last_at: string
  /** As the household has it; an API without them cannot change them either. */
  readonly name?: string | null
  readonly group?: string | null
  readonly person?: string | null
  readonly new?: boolean
  readonly paused_until?: string | null
  readonly allowed_until?: string | null
}

interface Person {
  readonly name: string
  readonly group: string | null
  readonly devices: readonly { readonly id: string; readonly name: string | null }[]
  readonly messages: number | null
  readonly minutes: number | null
  readonly usd: number | null
  readonly paused_until: string | null
  readonly allowed_until: string | null
}

interface People {
  readonly household?: readonly Person[]
}

type Change = (path: string, asking: Asking) => Promise<void>

export function DevicesPage(): Html {
  const devices = useAnswer<{ devices: readonly Device[] }>('/api/devices')
  const people = useAnswer<People>('/api/people')
  const [failed, setFailed] = useState<Problem>()
  const change: Change = async (path, asking) => {
    setFailed(undefined)
    try {
      await ask(path, asking)
      devices.again()
      people.again()
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setFailed(cause)
    }
  }
  const household = people.data?.household ?? []
  const list = devices.data?.devices
  return html`<${Page} title=${say('devices')}>
    <${Failed} problem=${devices.problem} again=${devices.again} />
    <${Failed} problem=${failed} />
    ${
      household.length === 0
        ? null
        : html`<${Card} title=${say('people')}>
            ${household.map(
              (person) =>
                html`<${PersonLine} key=${person.name} of=${person} change=${change} />`,
            )}
          <//>`
    }
    ${
      list === undefined
        ? null
        : html`<${Card} title=${say('devices')}>
            ${
              list.length === 0
                ? html`<${Empty} title=${say('nothingYet')}
                    >${say('nothingYetNext')}
                    <p>
                      <a class="button" href=${href(['trust'])}>${say('trust')}</a>
                    </p><//
                  >`
                : list.map(
                    (device) =>
                      html`<${DeviceLine}
                        key=${device.id}
                        of=${device}
                        change=${change}
                      />`,
                  )
            }
          <//>`
    }
  <//>`
}

const isSet = (text: string | null | undefined): text is string =>
  typeof text === 'string'

const SPANS = [15, 30, 60, 120] as const

interface For {
  /** What the API takes as `target`. */
  readonly target: string
  readonly paused: string | null | undefined
  readonly allowed: string | null | undefined
  readonly change: Change
}

/** Pause or allow for a while, or end it. */
function Acts({ target, paused, allowed, change }: For): Html {
  const [minutes, setMinutes] = useState(30)
  const post = (path: string, body: object): Promise<void> =>
    change(path, { method: 'POST', body })
  if (isSet(paused) || isSet(allowed))
    return html`<button type="button" onClick=${() => post('/api/end', { target })}>
      ${say(isSet(paused) ? 'endPause' : 'endAllow')}
    </button>`
  return html`<select
      aria-label=${say('howLong')}
      class="span"
      onChange=${(event: Event) =>
        setMinutes(Number((event.target as HTMLSelectElement).value))}
    >
      ${SPANS.map(
        (span) =>
          html`<option value=${span} selected=${span === minutes}>${span} min</option>`,
      )}
    </select>
    <button type="button" onClick=${() => post('/api/pause', { target, minutes })}>
      ${say('pauseIt')}
    </button>
    <button type="button" onClick=${() => post('/api/allow', { target, minutes })}>
      ${say('allowIt')}
    </button>`
}

function State({
  paused,
  allowed,
}: {
  readonly paused: string | null | undefined
  readonly allowed: string | null | undefined
}): Html {
  if (isSet(paused))
    return html`<span class="tag bad" title=${exactly(paused)}
      >${say('pausedUntil', { t: moment(paused) })}</span
    >`
  if (isSet(allowed))
    return html`<span class="tag good" title=${exactly(allowed)}
      >${say('allowedUntil', { t: moment(allowed) })}</span
    >`
  return null
}

function PersonLine({
  of,
  change,
}: {
  readonly of: Person
  readonly change: Change
}): Html {
  const limits = [
    of.messages === null ? '' : say('messagesADay', { n: number(of.messages) }),
    of.minutes === null ? '' : say('minutesADay', { n: number(of.minutes) }),
    of.usd === null ? '' : say('usdAMonth', { n: money(of.usd * 1e6) }),
  ].filter(Boolean)
  const names = of.devices.map(({ name, id }) => name ?? id)
  return html`<article class="ask" aria-label=${of.name}>
    <div class="row spread">
      <h3>${of.name}${of.group === null ? '' : ` · ${of.group}`}</h3>
      <${State} paused=${of.paused_until} allowed=${of.allowed_until} />
    </div>
    <p class="soft">
      ${[names.length === 0 ? say('noDevices') : names.join(', '), ...limits].join(' · ')}
    </p>
    ${
      may('household')
        ? html`<div class="row">
            <${Acts}
              target=${of.name}
              paused=${of.paused_until}
              allowed=${of.allowed_until}
              change=${change}
            />
          </div>`
        : null
    }
  </article>`
}

function DeviceLine({
  of,
  change,
}: {
  readonly of: Device
  readonly change: Change
}): Html {
  const shown = of.name ?? of.hostname ?? of.ip
  const canChange = may('household') && of.paused_until !== undefined
  const [isOpen, setOpen] = useState(false)
  const address = [of.hostname, of.ip, of.mac].filter((one) => one && one !== shown)
  const device = of.hostname ?? of.ip
  const figures = [
    say('callsN', { n: number(of.calls) }),
    say('tokensN', { n: brief(of.tokens) }),
    ...(of.cost_micro_usd === null ? [] : [money(of.cost_micro_usd)]),
  ]
  return html`<article class="ask" aria-label=${shown}>
    <div class="row spread">
      <h3>
        <a href=${href(['record'], { device })}>${shown}</a>
        ${of.new === true ? html` <span class="tag warn">${say('isNew')}</span>` : null}
      </h3>
      <${State} paused=${of.paused_until} allowed=${of.allowed_until} />
    </div>
    <p class="soft">${[of.person, of.group, ...address].filter(Boolean).join(' · ')}</p>
    <p>
      ${figures.join(' · ')}${of.blocks === 0 ? '' : ' · '}
      ${
        of.blocks === 0
          ? null
          : html`<a class="bad" href=${href(['record'], { device, outcome: 'block' })}
              >${say('blocksN', { n: number(of.blocks) })}</a
            >`
      }
      <span class="soft">${` · ${ago(of.last_at)}`}</span>
    </p>
    ${
      canChange
        ? html`<div class="row">
              <${Acts}
                target=${of.id}
                paused=${of.paused_until}
                allowed=${of.allowed_until}
                change=${change}
              />
              <button
                type="button"
                aria-expanded=${isOpen ? 'true' : 'false'}
                onClick=${() => setOpen(!isOpen)}
              >
                ${say('describe')}
              </button>
            </div>
            ${
              isOpen
                ? html`<${Describe}
                    of=${of}
                    change=${change}
                    close=${() => setOpen(false)}
                  />`
                : null
            }`
        : null
    }
  </article>`
}

function Describe({
  of,
  change,
  close,
}: {
  readonly of: Device
  readonly change: Change
  readonly close: () => void
}): Html {
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const data = new FormData(event.target as HTMLFormElement)
    for (const key of ['name', 'person', 'group'] as const) {
      const said = data.get(key)
      const text = typeof said === 'string' ? said.trim() : ''
      if (text === (of[key] ?? '')) continue
      const body = { [key]: text === '' ? null : text }
      await change(`/api/devices/${encodeURIComponent(of.id)}/${key}`, {
        method: 'POST',
        body,
      })
    }
    close()
  }
  const field = (key: 'name' | 'person' | 'group'): unknown =>
    html`<div class="field">
      <label for=${`${of.id}-${key}`}>${say(key)}</label>
      <input id=${`${of.id}-${key}`} name=${key} value=${of[key] ?? ''} maxlength="64" />
    </div>`
  return html`<form class="filters gap" onSubmit=${save}>
    ${field('name')} ${field('person')} ${field('group')}
    <div class="row"><button class="first">${say('save')}</button></div>
  </form>`
}
