/** Settings: a form out of the schema, errors at their keys, and what was in force before. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { ask, Problem, useAnswer } from './api.js'
import { Card, Failed, Page } from './parts.js'
import type { Html } from './parts.js'
import { problemsOf } from './policies-page.js'
import type { KeyProblem } from './policies-page.js'
import { exactly, number, say } from './say.js'

interface Node {
  readonly type: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly default?: unknown
  readonly derived?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly unit?: string
  readonly secret?: boolean
}

interface Settings {
  readonly source: string | null
  readonly version: string | null
  readonly config: Readonly<Record<string, unknown>>
  readonly versions: readonly { readonly id: string; readonly at: string }[]
}

/** Policies have a page of their own. */
const ELSEWHERE = new Set(['policies', 'config_version'])

export function SettingsPage(): Html {
  const schema = useAnswer<Node>('/api/settings/schema')
  const settings = useAnswer<Settings>('/api/settings')
  const [changes, setChanges] = useState<Readonly<Record<string, string | boolean>>>({})
  const [failed, setFailed] = useState<Problem>()
  const [told, setTold] = useState('')
  const act = async (
    path: string,
    method: 'PUT' | 'POST',
    body: object,
  ): Promise<void> => {
    setFailed(undefined)
    setTold('')
    try {
      await ask(path, { method, body })
      setChanges({})
      setTold(say('inForce'))
      settings.again()
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setFailed(cause)
    }
  }
  const save = (event: Event): void => {
    event.preventDefault()
    const root = schema.data
    if (root === undefined) return
    const typed = Object.entries(changes).map(([key, text]) => [
      key,
      valueOf(text, nodeAt(root, key)),
    ])
    const version = settings.data?.version
    const body = { changes: Object.fromEntries(typed) as object, version }
    void act('/api/settings', 'PUT', body)
  }
  const set = (key: string, value: string | boolean): void =>
    setChanges({ ...changes, [key]: value })
  const count = Object.keys(changes).length
  const root = schema.data
  const now = settings.data
  return html`<${Page} title=${say('settings')}>
    <${Failed} problem=${schema.problem ?? settings.problem} again=${settings.again} />
    <${Failed} problem=${failed} />
    <p class="good" role="status">${told}</p>
    ${
      root === undefined || now === undefined
        ? null
        : html`<form onSubmit=${save} novalidate>
            <${Sections}
              root=${root}
              config=${now.config}
              changes=${changes}
              set=${set}
              problems=${problemsOf(failed)}
            />
            <div class="bar row">
              <button class="first" disabled=${count === 0}>${say('save')}</button>
              <span class="soft">${say('changedN', { n: number(count) })}</span>
              ${
                count === 0
                  ? null
                  : html`<button type="button" onClick=${() => setChanges({})}>
                      ${say('discard')}
                    </button>`
              }
            </div>
            <${Card} title=${say('history')}>
              <p class="soft"><code>${now.source ?? say('noFile')}</code></p>
              ${
                now.versions.length === 0
                  ? html`<p class="soft">${say('noHistory')}</p>`
                  : html`<ul class="plain">
                      ${now.versions.map(
                        ({ id, at }) =>
                          html`<li class="row spread line">
                            <span
                              >${exactly(at)}
                              <code class="soft">${id.slice(-12)}</code></span
                            >
                            <button
                              type="button"
                              onClick=${() =>
                                act('/api/settings/rollback', 'POST', { version: id })}
                            >
                              ${say('rollback')}
                            </button>
                          </li>`,
                      )}
                    </ul>`
              }
            <//>
          </form>`
    }
  <//>`
}

interface FormProps {
  readonly root: Node
  readonly config: Readonly<Record<string, unknown>>
  readonly changes: Readonly<Record<string, string | boolean>>
  readonly set: (key: string, value: string | boolean) => void
  readonly problems: readonly KeyProblem[]
}

function Sections({ root, ...form }: FormProps): Html {
  const entries = Object.entries(root.properties ?? {}).filter(
    ([key]) => !ELSEWHERE.has(key),
  )
  const plain = entries.filter(([, node]) => node.properties === undefined)
  const sections = entries.filter(([, node]) => node.properties !== undefined)
  const isAt = (key: string): boolean =>
    form.problems.some((problem) => problem.key.startsWith(`${key}.`))
  return html`<${Card}>
      ${plain.map(([key, node]) => html`<${Field} path=${[key]} node=${node} ...${form} />`)}
    <//>
    ${sections.map(
      ([key, node]) =>
        html`<details class="card" open=${isAt(key)}>
          <summary>${key} <span class="soft">${node.description ?? ''}</span></summary>
          ${fieldsIn([key], node).map(
            ([path, one]) => html`<${Field} path=${path} node=${one} ...${form} />`,
          )}
        </details>`,
    )}`
}

/** Sections in sections are one form. */
function fieldsIn(
  path: readonly string[],
  node: Node,
): (readonly [readonly string[], Node])[] {
  if (node.properties === undefined) return [[path, node]]
  return Object.entries(node.properties).flatMap(([key, one]) =>
    fieldsIn([...path, key], one),
  )
}

interface FieldProps extends Omit<FormProps, 'root'> {
  readonly path: readonly string[]
  readonly node: Node
}

function Field({ path, node, config, changes, set, problems }: FieldProps): Html {
  const key = path.join('.')
  const id = `s-${path.join('-')}`
  const value = changes[key] ?? shown(at(config, path), node)
  const wrong = problems.filter(
    (problem) => problem.key === key || problem.key.startsWith(`${key}.`),
  )
  const about = {
    id,
    'aria-describedby': `${id}-about`,
    'aria-invalid': wrong.length > 0 ? 'true' : undefined,
  }
  const change = (event: Event): void => {
    const { value: text, checked, type } = event.target as HTMLInputElement
    set(key, type === 'checkbox' ? checked : text)
  }
  const input =
    node.type === 'boolean'
      ? html`<input
          ...${about}
          type="checkbox"
          checked=${value === true}
          onChange=${change}
        />`
      : node.enum !== undefined
        ? html`<select ...${about} onChange=${change}>
            ${node.enum.map(
              (one) =>
                html`<option value=${one} selected=${one === value}>${one}</option>`,
            )}
          </select>`
        : node.type === 'array' || node.type === 'object'
          ? html`<textarea
              ...${about}
              rows="3"
              value=${value}
              onInput=${change}
            ></textarea>`
          : html`<input
              ...${about}
              type=${node.secret === true ? 'password' : 'text'}
              inputmode=${isNumber(node) && node.unit !== 'bytes' ? 'decimal' : undefined}
              value=${value}
              onInput=${change}
            />`
  const usual = node.default === undefined ? node.derived : JSON.stringify(node.default)
  return html`<div class="setting">
    <label for=${id}>${path.slice(path.length > 1 ? 1 : 0).join('.')}</label>
    <div>
      ${input}
      <p class="soft" id=${`${id}-about`}>
        ${node.description ?? ''} ${node.unit === undefined ? '' : ` (${node.unit})`}
        ${usual === undefined || usual.length > 60 ? '' : ` ${say('usually', { n: usual })}`}
      </p>
      ${wrong.map(
        (problem) =>
          html`<p class="bad" role="alert">
            ${problem.key}: ${problem.wrong}; ${problem.right}
          </p>`,
      )}
    </div>
  </div>`
}

const isNumber = ({ type }: Node): boolean => type === 'integer' || type === 'number'

function at(config: unknown, path: readonly string[]): unknown {
  let value = config
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key]
  return value
}

function nodeAt(root: Node, key: string): Node | undefined {
  let node: Node | undefined = root
  for (const part of key.split('.')) node = node?.properties?.[part]
  return node
}

/** Lists of plain texts stand one a line; what is deeper is JSON. */
const isLines = (node: Node): boolean =>
  node.type === 'array' && node.items?.type === 'string'

function shown(value: unknown, node: Node): string | boolean {
  if (node.type === 'boolean') return value === true
  if (value === undefined || value === null) return ''
  if (isLines(node) && Array.isArray(value)) return value.join('\n')
  return typeof value === 'object' ? JSON.stringify(value, null, 1) : `${value as string}`
}

/** As the file has it; what cannot be read stays text, and the loader says what is wrong. */
function valueOf(text: string | boolean, node: Node | undefined): unknown {
  if (typeof text === 'boolean' || node === undefined) return text
  if (text.trim() === '') return null
  if (isLines(node))
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  if (isNumber(node) && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text)
  if (node.type === 'array' || node.type === 'object')
    try {
      return JSON.parse(text) as unknown
    } catch {
      return text
    }
  return text
}
