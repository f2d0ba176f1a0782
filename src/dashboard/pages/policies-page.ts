/** Policies: on and off, what they may do, what they take, and what they would have done. */
import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { ask, may, Problem, useAnswer } from './api.js'
import { Failed, Note, Page } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { number, say } from './say.js'

interface Parameter {
  readonly type: string
  readonly description: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
}

interface Policy {
  readonly name: string
  readonly description: string | null
  readonly parameters: Readonly<Record<string, Parameter>> | null
  readonly params: Readonly<Record<string, unknown>>
  readonly configured: boolean
  readonly enabled: boolean
  readonly action: 'allow' | 'alert' | 'block'
}

interface Catalogue {
  readonly mode: string
  readonly enforcement_enabled: boolean
  readonly consent: { readonly accepted: boolean; readonly text: string }
  readonly policies: readonly Policy[]
}

interface Effect {
  readonly name: string
  readonly block: number
  readonly redact: number
  readonly alert: number
  readonly unknown: number
  readonly devices: readonly { readonly name: string; readonly count: number }[]
  readonly examples: readonly string[]
}

type Effects =
  | { readonly state: 'running'; readonly rows_seen: number; readonly rows_total: number }
  | {
      readonly state: 'done'
      readonly rows: number
      readonly policies: readonly Effect[]
    }

/** How far back it is tried. */
const DAYS = 30
const ASK_AGAIN_MS = 1_000

type Changes = Record<string, unknown>
type Change = (changes: Changes) => Promise<boolean>

export function PoliciesPage(): Html {
  const { data, problem, again } = useAnswer<Catalogue>('/api/policies/catalogue')
  const [failed, setFailed] = useState<Problem>()
  const [told, setTold] = useState('')
  const [effects, setEffects] = useState<Effects>()
  const [isAsking, setAsking] = useState(false)
  const change: Change = async (changes) => {
    setFailed(undefined)
    setTold('')
    try {
      await ask('/api/settings', { method: 'PUT', body: { changes } })
      setTold(say('inForce'))
      again()
      return true
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setFailed(cause)
      return false
    }
  }
  useEffect(() => {
    if (!isAsking) return
    let timer: number | undefined
    const look = (): void => {
      ask<Effects>(`/api/policies/diff?days=${DAYS}`)
        .then((found) => {
          setEffects(found)
          if (found.state === 'running') timer = setTimeout(look, ASK_AGAIN_MS)
          else setAsking(false)
        })
        .catch((cause: unknown) => {
          setAsking(false)
          if (cause instanceof Problem) setFailed(cause)
        })
    }
    look()
    return () => clearTimeout(timer)
  }, [isAsking])
  const side = html`<button
    type="button"
    disabled=${isAsking}
    onClick=${() => setAsking(true)}
  >
    ${say('wouldHave', { n: DAYS })}
  </button>`
  return html`<${Page} title=${say('policies')} side=${side}>
    <${Failed} problem=${problem} again=${again} />
    <${Failed} problem=${failed} />
    ${problemsOf(failed).map(({ key, wrong, right }) => html`<p class="bad"><code>${key}</code>: ${wrong}; ${right}</p>`)}
    <p class="soft" role="status">
      ${
        effects?.state === 'running'
          ? say('rowsOf', { n: number(effects.rows_seen), m: number(effects.rows_total) })
          : effects?.state === 'done'
            ? say('triedOn', { n: number(effects.rows) })
            : told
      }
    </p>
    ${
      data === undefined
        ? null
        : data.policies.map(
            (policy) =>
              html`<${One}
                key=${policy.name}
                of=${policy}
                all=${data}
                change=${change}
                effect=${
                  effects?.state === 'done'
                    ? effects.policies.find(({ name }) => name === policy.name)
                    : undefined
                }
              />`,
          )
    }
  <//>`
}

export interface KeyProblem {
  readonly key: string
  readonly wrong: string
  readonly right: string
}

/** What the API says of single keys. */
export function problemsOf(problem: Problem | undefined): readonly KeyProblem[] {
  const list = problem?.body['problems']
  return Array.isArray(list) ? (list as KeyProblem[]) : []
}

interface OneProps {
  readonly of: Policy
  readonly all: Catalogue
  readonly change: Change
  readonly effect: Effect | undefined
}

const ACTIONS = [
  ['allow', 'actionAllow'],
  ['alert', 'actionAlert'],
  ['block', 'actionBlock'],
] as const

function One({ of, all, change, effect }: OneProps): Html {
  const { name, description, enabled, action, parameters } = of
  const [isOpen, setOpen] = useState(false)
  const [wanted, setWanted] = useState<Changes>()
  const key = `policies.files.${name}`
  const mayBlock =
    all.mode === 'enforce' && all.enforcement_enabled && all.consent.accepted
  /** What would block is asked about first, where nothing may block yet. */
  const set = (changes: Changes, blocks: boolean): void => {
    if (blocks && !mayBlock) setWanted(changes)
    else void change(changes)
  }
  const isAdmin = may('admin')
  const isOn = of.configured && enabled
  return html`<section class="card" aria-labelledby=${`p-${name}`}>
    <div class="row spread">
      <h2 id=${`p-${name}`} class="name">${name}</h2>
      <div class="row">
        ${
          isAdmin
            ? html`<select
                  class="span"
                  aria-label=${say('mayDo', { name })}
                  onChange=${(event: Event) => {
                    const chosen = (event.target as HTMLSelectElement).value
                    const changes = {
                      [`${key}.enabled`]: isOn,
                      [`${key}.action`]: chosen,
                    }
                    set(changes, chosen === 'block' && isOn)
                  }}
                >
                  ${ACTIONS.map(
                    ([value, text]) =>
                      html`<option value=${value} selected=${value === action}>
                        ${say(text)}
                      </option>`,
                  )}
                </select>
                <button
                  type="button"
                  role="switch"
                  aria-checked=${isOn ? 'true' : 'false'}
                  aria-label=${name}
                  class=${isOn ? 'first' : ''}
                  onClick=${() =>
                    set(
                      { [`${key}.enabled`]: !isOn, [`${key}.action`]: action },
                      !isOn && action === 'block',
                    )}
                >
                  ${say(isOn ? 'isOn' : 'isOff')}
                </button>`
            : html`<span class=${`tag ${isOn ? 'good' : 'quiet'}`}
                >${say(isOn ? 'isOn' : 'isOff')}</span
              >`
        }
      </div>
    </div>
    ${description === null ? null : html`<p>${description}</p>`}
    ${
      isOn && action === 'block' && !mayBlock
        ? html`<p class="warn">${say('blocksNothing')}</p>`
        : null
    }
    ${
      wanted === undefined
        ? null
        : html`<${Consent}
            text=${all.consent.text}
            yes=${async () => {
              const done = await change({
                ...wanted,
                mode: 'enforce',
                'enforcement.enabled': true,
                'enforcement.consent_accepted': true,
              })
              if (done) setWanted(undefined)
            }}
            no=${() => setWanted(undefined)}
          />`
    }
    ${effect === undefined ? null : html`<${Would} of=${effect} />`}
    ${
      isAdmin && parameters !== null && Object.keys(parameters).length > 0
        ? html`<button
              type="button"
              aria-expanded=${isOpen ? 'true' : 'false'}
              onClick=${() => setOpen(!isOpen)}
            >
              ${say('parameters')}
            </button>
            ${
              isOpen
                ? html`<${Params} of=${of} parameters=${parameters} change=${change} />`
                : null
            }`
        : null
    }
  </section>`
}

interface ConsentProps {
  readonly text: string
  readonly yes: () => Promise<void>
  readonly no: () => void
}

function Consent({ text, yes, no }: ConsentProps): Html {
  return html`<${Note} kind="warn"
    ><p class="strong">${say('consentTitle')}</p>
    <p>${text}</p>
    <div class="row gap">
      <button type="button" class="first" onClick=${yes}>${say('consentYes')}</button>
      <button type="button" onClick=${no}>${say('consentNo')}</button>
    </div><//
  >`
}

function Would({ of }: { readonly of: Effect }): Html {
  const { block, redact, alert, unknown, devices, examples } = of
  const counts = [
    [block, 'wouldBlock'],
    [redact, 'wouldRedact'],
    [alert, 'wouldAlert'],
    [unknown, 'wouldUnknown'],
  ] as const
  const said = counts.filter(([count]) => count > 0)
  return html`<p>
    ${
      said.length === 0
        ? html`<span class="soft">${say('wouldNothing')}</span>`
        : said.map(([count, key]) => say(key, { n: number(count) })).join(' · ')
    }
    ${
      devices.length === 0
        ? null
        : html` <span class="soft"
            >(${devices
              .slice(0, 4)
              .map(({ name }) => name)
              .join(', ')})</span
          >`
    }
    ${examples
      .slice(0, 3)
      .map((id) => html` <a href=${href(['exchange', id])}>${say('look')}</a>`)}
  </p>`
}

interface ParamsProps {
  readonly of: Policy
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly change: Change
}

const isList = ({ type }: Parameter): boolean =>
  type === 'strings' || type === 'days' || type === 'devices'

function textIn(value: unknown, of: Parameter): string {
  if (value === undefined || value === null) return ''
  if (isList(of) && Array.isArray(value)) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string}`
}

/** @throws SyntaxError where JSON is expected and there is none */
function valueIn(text: string, of: Parameter): unknown {
  if (text.trim() === '') return null
  if (isList(of))
    return text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean)
  if (of.type === 'integer' || of.type === 'number') return Number(text)
  return of.type === 'numbers' ? (JSON.parse(text) as unknown) : text
}

function Params({ of, parameters, change }: ParamsProps): Html {
  const [wrong, setWrong] = useState('')
  const save = (event: SubmitEvent): void => {
    event.preventDefault()
    const data = new FormData(event.target as HTMLFormElement)
    const changes: Changes = {}
    try {
      for (const [name, parameter] of Object.entries(parameters)) {
        const said = data.get(name)
        const value =
          parameter.type === 'boolean'
            ? said !== null
            : valueIn(typeof said === 'string' ? said : '', parameter)
        const given = of.params[name] ?? parameter.default
        if (JSON.stringify(value) !== JSON.stringify(given ?? null))
          changes[`policies.files.${of.name}.params.${name}`] = value
      }
    } catch {
      return setWrong(say('noJson'))
    }
    setWrong('')
    if (Object.keys(changes).length > 0) void change(changes)
  }
  return html`<form class="params gap" onSubmit=${save}>
    ${Object.entries(parameters).map(([name, parameter]) => {
      const id = `${of.name}-${name}`
      const value = of.params[name] ?? parameter.default
      const isNumber = parameter.type === 'integer' || parameter.type === 'number'
      return html`<div class="field">
        <label for=${id}>${name}</label>
        ${
          parameter.type === 'boolean'
            ? html`<input
                id=${id}
                name=${name}
                type="checkbox"
                checked=${value === true}
              />`
            : parameter.enum !== undefined && parameter.type === 'string'
              ? html`<select id=${id} name=${name}>
                  ${parameter.enum.map(
                    (one) => html`<option selected=${one === value}>${one}</option>`,
                  )}
                </select>`
              : html`<input
                  id=${id}
                  name=${name}
                  type=${isNumber ? 'number' : 'text'}
                  step=${parameter.type === 'integer' ? '1' : 'any'}
                  min=${parameter.minimum}
                  max=${parameter.maximum}
                  value=${textIn(value, parameter)}
                />`
        }
        <span class="soft">${parameter.description}</span>
      </div>`
    })}
    <p class="bad" role="alert">${wrong}</p>
    <div class="row"><button class="first">${say('save')}</button></div>
  </form>`
}
