import assert from 'node:assert/strict'
import { Observers } from '../../../src/proxy/words/observer.js'
import type {
  ExchangeObserver,
  ObserverFailure,
  SeenExchange,
} from '../../../src/proxy/words/observer.js'
import type { Decision } from '../../../src/policy/engine.js'

const seen = { requestId: 'r1' } as SeenExchange

describe('the observers of exchanges', () => {
  it('are told each moment for which they have a method, in their order', () => {
    const heard: string[] = []
    const all = (name: string): ExchangeObserver => ({
      name,
      requestHead: () => void heard.push(`${name} requestHead`),
      requestRead: () => void heard.push(`${name} requestRead`),
      decided: (_seen, { verdict }) => void heard.push(`${name} ${verdict}`),
      responseHead: () => void heard.push(`${name} responseHead`),
      responseRead: () => void heard.push(`${name} responseRead`),
      ended: () => void heard.push(`${name} ended`),
    })
    const last: ExchangeObserver = { name: 'c', ended: () => void heard.push('c ended') }
    const observers = new Observers([all('a'), all('b'), last], () => undefined)
    observers.requestHead(seen)
    observers.requestRead(seen, undefined)
    observers.decided(seen, { verdict: 'alert' } as Decision)
    observers.responseHead(seen)
    observers.responseRead(seen, undefined)
    observers.ended(seen)
    assert.deepEqual(heard, [
      ...['a requestHead', 'b requestHead', 'a requestRead', 'b requestRead'],
      ...['a alert', 'b alert', 'a responseHead', 'b responseHead'],
      ...['a responseRead', 'b responseRead', 'a ended', 'b ended', 'c ended'],
    ])
  })

  it('cost nobody else anything when one of them fails', () => {
    const failures: ObserverFailure[] = []
    const heard: string[] = []
    const bad: ExchangeObserver = {
      name: 'bad',
      ended: () => {
        throw new Error('full')
      },
    }
    const good: ExchangeObserver = { name: 'good', ended: () => void heard.push('good') }
    new Observers([bad, good], (failure) => void failures.push(failure)).ended(seen)
    assert.deepEqual(heard, ['good'])
    const [{ observer, moment, err } = assert.fail('nothing was said')] = failures
    assert.deepEqual([observer, moment, (err as Error).message], ['bad', 'ended', 'full'])
  })
})
