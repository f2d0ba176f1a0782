import assert from 'node:assert/strict'
import { Lifecycle, serviceOf } from '../../src/assembly/lifecycle.js'
import type { Log } from '../../src/core/log.js'

const said: string[] = []
const say = (_fields: object, message: string): void => void said.push(message)
const log: Log = { debug: say, info: say, warn: say, error: say }

describe('the list of services', () => {
  it('starts forward and stops backward, once', async () => {
    const heard: string[] = []
    const service = (name: string) =>
      serviceOf(
        name,
        () => void heard.push(`start ${name}`),
        () => void heard.push(`stop ${name}`),
      )
    const list = new Lifecycle([service('a'), service('b'), service('c')], log)
    await list.start()
    await list.stop()
    await list.stop()
    const starts = ['start a', 'start b', 'start c']
    assert.deepEqual(heard, [...starts, 'stop c', 'stop b', 'stop a'])
  })

  it('takes back what was started when one cannot start', async () => {
    const heard: string[] = []
    const failing = {
      name: 'b',
      start: () => Promise.reject(new Error('no port')),
      stop: async () => void heard.push('stop b'),
    }
    const a = serviceOf(
      'a',
      () => void heard.push('start a'),
      () => void heard.push('stop a'),
    )
    const c = serviceOf('c', () => void heard.push('start c'))
    await assert.rejects(new Lifecycle([a, failing, c], log).start(), /no port/)
    assert.deepEqual(heard, ['start a', 'stop b', 'stop a'])
  })

  it('stops the others when one does not stop, and says so', async () => {
    const heard: string[] = []
    const a = serviceOf(
      'a',
      () => undefined,
      () => void heard.push('stop a'),
    )
    const stuck = {
      name: 'b',
      start: async () => undefined,
      stop: () => Promise.reject(new Error('disk')),
    }
    const list = new Lifecycle([a, stuck], log)
    await list.start()
    await list.stop()
    assert.deepEqual(heard, ['stop a'])
    assert.deepEqual(said, ['a service did not stop in order'])
  })
})
