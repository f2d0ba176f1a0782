/** Conversations and the agents that hold them: how much, with which tools, at what cost. */
import { html } from 'htm/preact'
import { useAnswer } from './api.js'
import { Bars, Share } from './bars.js'
import { Card, Empty, Failed, Page } from './parts.js'
import type { Html } from './parts.js'
import { href } from './route.js'
import { ago, brief, duration, exactly, money, number, say } from './say.js'

interface Agent {
  readonly id: string
  readonly id_short: string
  readonly total_sessions: number
  readonly active_sessions: number
  readonly total_messages: number
  readonly total_tokens: number
  readonly total_tools: number
  readonly total_errors: number
  readonly avg_response_time_ms: number
  readonly last_seen: string
}

interface Session {
  readonly id: string
  readonly device: string
  readonly agent_id: string | null
  readonly first_at: string
  readonly last_at: string
  readonly models: readonly string[]
  readonly calls: number
  readonly blocks: number
  readonly errors: number
  readonly prompt_tokens: number
  readonly response_tokens: number
  readonly cost_micro_usd: number | null
}

export function TalksPage({ id }: { readonly id?: string }): Html {
  return id === undefined ? html`<${All} />` : html`<${One} id=${id} />`
}

function All(): Html {
  const agents = useAnswer<{ agents: readonly Agent[] }>('/api/agents')
  const sessions = useAnswer<{ sessions: readonly Session[] }>('/api/sessions')
  return html`<${Page} title=${say('talks')}>
    <${Failed} problem=${agents.problem ?? sessions.problem} again=${agents.again} />
    ${
      agents.data === undefined
        ? null
        : html`<${Card} title=${say('agents')}>
            ${
              agents.data.agents.length === 0
                ? html`<${Empty} title=${say('noAgents')}>${say('noAgentsNext')}<//>`
                : html`<${Agents} of=${agents.data.agents} />`
            }
          <//>`
    }
    ${
      sessions.data === undefined
        ? null
        : html`<${Card} title=${say('talks')}>
            ${
              sessions.data.sessions.length === 0
                ? html`<${Empty} title=${say('nothingYet')}>${say('nothingYetNext')}<//>`
                : html`<${Sessions} of=${sessions.data.sessions} />`
            }
          <//>`
    }
  <//>`
}

function Agents({ of }: { readonly of: readonly Agent[] }): Html {
  return html`<table class="flow">
    <caption class="hidden">
      ${say('agents')}
    </caption>
    <thead>
      <tr>
        <th scope="col">${say('agent')}</th>
        <th scope="col" class="num">${say('sessions')}</th>
        <th scope="col" class="num">${say('asked')}</th>
        <th scope="col" class="num">${say('tokens')}</th>
        <th scope="col" class="num">${say('tools')}</th>
        <th scope="col" class="num">${say('took')}</th>
        <th scope="col">${say('lastSeen')}</th>
      </tr>
    </thead>
    <tbody>
      ${of.map(
        (agent) =>
          html`<tr>
            <th scope="row">
              <a href=${href(['talks', agent.id])}>${agent.id_short}</a>
            </th>
            <td class="num" data-of=${say('sessions')}>
              ${number(agent.total_sessions)}
            </td>
            <td class="num" data-of=${say('asked')}>${number(agent.total_messages)}</td>
            <td class="num" data-of=${say('tokens')}>${brief(agent.total_tokens)}</td>
            <td class="num" data-of=${say('tools')}>${number(agent.total_tools)}</td>
            <td class="num">${duration(agent.avg_response_time_ms)}</td>
            <td title=${exactly(agent.last_seen)}>${ago(agent.last_seen)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** What begins with a time tells by its end. */
const shortId = (id: string): string => (id.length > 20 ? `…${id.slice(-10)}` : id)

function Sessions({ of }: { readonly of: readonly Session[] }): Html {
  return html`<table class="flow">
    <caption class="hidden">
      ${say('talks')}
    </caption>
    <thead>
      <tr>
        <th scope="col">${say('time')}</th>
        <th scope="col">${say('device')}</th>
        <th scope="col">${say('models')}</th>
        <th scope="col" class="num">${say('asked')}</th>
        <th scope="col" class="num">${say('tokens')}</th>
        <th scope="col" class="num">${say('cost')}</th>
        <th scope="col">${say('session')}</th>
      </tr>
    </thead>
    <tbody>
      ${of.map(
        (one) =>
          html`<tr>
            <td class="time" title=${exactly(one.last_at)}>${ago(one.last_at)}</td>
            <td>${one.device}</td>
            <th scope="row">${one.models.join(', ')}</th>
            <td class="num" data-of=${say('asked')}>${number(one.calls)}</td>
            <td class="num" data-of=${say('tokens')}>
              ${brief(one.prompt_tokens + one.response_tokens)}
            </td>
            <td class="num">
              ${one.cost_micro_usd === null ? '' : money(one.cost_micro_usd)}
            </td>
            <td>
              <a href=${href(['record'], { session: one.id })}>${shortId(one.id)}</a>
              ${
                one.blocks === 0
                  ? null
                  : html` <span class="tag bad"
                      >${say('blocksN', { n: one.blocks })}</span
                    >`
              }
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

interface Detail {
  readonly agent: Agent & {
    readonly first_seen: string
    readonly available_tools: readonly string[]
    readonly used_tools: readonly string[]
    readonly tools_utilization_percent: number
    readonly avg_messages_per_session: number
  }
  readonly analytics: {
    readonly token_summary: {
      readonly input: number
      readonly output: number
      readonly total_cost: number | null
    }
    readonly models: readonly {
      readonly model: string
      readonly requests: number
      readonly total_tokens: number
      readonly cost: number | null
    }[]
    readonly tools: readonly { readonly tool: string; readonly executions: number }[]
    readonly timeline: readonly { readonly date: string; readonly requests: number }[]
  }
}

function One({ id }: { readonly id: string }): Html {
  const { data, problem, again } = useAnswer<Detail>(
    `/api/agent/${encodeURIComponent(id)}`,
  )
  return html`<${Page} title=${`${say('agent')} ${id.slice(0, 16)}`}>
    <${Failed} problem=${problem} again=${again} />
    ${data === undefined ? null : html`<${Shown} of=${data} />`}
  <//>`
}

function Shown({ of: { agent, analytics } }: { readonly of: Detail }): Html {
  const { token_summary: sum, models, tools, timeline } = analytics
  const days = [...timeline].reverse()
  const unused = agent.available_tools.filter((name) => !agent.used_tools.includes(name))
  const figure = (value: string, name: string, more = ''): unknown =>
    html`<div class="figure">
      <b>${value}</b><span class="name">${name}</span><span class="soft">${more}</span>
    </div>`
  return html`<div class="figures">
      ${figure(number(agent.total_messages), say('asked'), `${say('sessions')}: ${number(agent.total_sessions)}`)}
      ${figure(brief(sum.input + sum.output), say('tokens'), `${brief(sum.input)} + ${brief(sum.output)}`)}
      ${figure(sum.total_cost === null ? '–' : money(sum.total_cost * 1e6), say('spent'))}
      ${figure(number(agent.total_errors), say('failedGroup'), `${say('took')} ${duration(agent.avg_response_time_ms)}`)}
    </div>
    <div class="grid gap">
      <${Card} title=${say('byDay')} kind="half">
        <${Bars}
          title=${say('byDay')}
          labels=${days.map(({ date }) => date.slice(5))}
          series=${[{ name: say('asked'), values: days.map(({ requests }) => requests) }]}
        />
      <//>
      <${Card} title=${say('models')} kind="half">
        <ul class="plain">
          ${models.map(
            ({ model, requests, cost }) =>
              html`<${Share}
                name=${model}
                value=${requests}
                all=${agent.total_messages}
                shown=${`${number(requests)}${cost === null ? '' : ` · ${money(cost * 1e6)}`}`}
              />`,
          )}
        </ul>
      <//>
      <${Card} title=${say('tools')} kind="half">
        ${
          tools.length === 0
            ? html`<p class="soft">${say('noTools')}</p>`
            : html`<ul class="plain">
                ${tools.map(
                  ({ tool, executions }) =>
                    html`<${Share}
                      name=${tool}
                      value=${executions}
                      all=${agent.total_tools}
                    />`,
                )}
              </ul>`
        }
        ${
          unused.length === 0
            ? null
            : html`<p class="soft">${say('toolsUnused')}: ${unused.join(', ')}</p>`
        }
      <//>
    </div>`
}
