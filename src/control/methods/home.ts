/** The first page, made anew each time from what the API answers. */
import type { Answer } from '../answer.js'
import { HOME_STYLE, homePage } from '../home-page.js'
import type { DayFacts } from '../home-page.js'
import type { Call, Handler } from '../method.js'
import { dashboard } from './agents.js'
import { exchanges } from './record.js'
import { stateOf } from './state.js'

const NEWEST = '25'

export const home: Handler = async (call) => {
  const { port } = call.on
  const { config, services } = port.appliance.current
  const day = bodyOf<{ last_day: DayFacts }>(await dashboard(asked(call, {})))
  const newest = bodyOf<{ exchanges: readonly Readonly<Record<string, unknown>>[] }>(
    await exchanges(asked(call, { limit: NEWEST })),
  )
  return {
    kind: 'text',
    status: 200,
    type: 'text/html; charset=utf-8',
    body: homePage({
      state: stateOf(port),
      mode: config.mode,
      concerns: services.concerns().map(({ says }) => says),
      day: day.last_day,
      exchanges: newest.exchanges,
      zone: config.enforcement.timezone,
      nowMs: port.clock.now(),
    }),
  }
}

export const homeStyle: Handler = () => ({
  kind: 'text',
  status: 200,
  type: 'text/css; charset=utf-8',
  body: HOME_STYLE,
})

function asked(call: Call, query: Readonly<Record<string, string>>): Call {
  return { ...call, query: new URLSearchParams(query) }
}

function bodyOf<T>(answer: Answer): T {
  if (answer.kind !== 'json') throw new TypeError('JSON was expected')
  return answer.body as T
}
