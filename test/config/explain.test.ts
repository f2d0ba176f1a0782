import assert from 'node:assert/strict'
import { explain, explainText } from '../../config/explain.js'
import { configSchema } from '../../config/schema.js'

const textOf = (key?: string): string => {
  const found = explain(key)
  assert.equal(found.kind, 'known')
  return found.kind === 'known' ? explainText(found.keys) : ''
}

describe('explaining the configuration', () => {
  it('gives type, limits, default and meaning of one key', () => {
    const text = textOf('audit.retention_days')
    assert.match(text, /^audit\.retention_days {2}\(whole number\)$/m)
    assert.match(text, /Takes: a whole number from 1 to 3650/)
    assert.match(text, /Default: 365/)
    assert.match(text, /Days that rows are kept/)
  })

  it('writes sizes as people do', () => {
    assert.match(
      textOf('limits.client_hello_bytes'),
      /from 1KiB to 1MiB.*\n.*Default: 64KiB/,
    )
  })

  it('says how a derived default comes about', () => {
    assert.match(textOf('audit.database'), /Default: <state_dir>\/audit\.db/)
  })

  it('gives a section with all that is in it', () => {
    const text = textOf('timeouts')
    for (const key of Object.keys(configSchema.properties.timeouts.properties)) {
      assert.ok(text.includes(`timeouts.${key}  (seconds)`), key)
    }
  })

  it('knows keys of entries however they are asked for', () => {
    for (const key of ['endpoints.domain', 'endpoints[].domain', 'endpoints[3].domain']) {
      assert.match(textOf(key), /^endpoints\.domain/m)
    }
    assert.match(
      textOf('policies.files.bedtime.action'),
      /^policies\.files\.NAME\.action/m,
    )
  })

  it('lists every top-level key when none is asked for, and the units first', () => {
    const text = textOf()
    for (const key of Object.keys(configSchema.properties)) {
      assert.match(text, new RegExp(`^${key} {2}\\(`, 'm'))
    }
    assert.match(text, /^Durations are seconds unless the key ends in _ms/)
  })

  it('suggests the nearest key, also from its last part', () => {
    assert.deepEqual(explain('audit.retention'), {
      kind: 'unknown',
      nearest: 'audit.retention_days',
    })
    assert.deepEqual(explain('retention_days'), {
      kind: 'unknown',
      nearest: 'audit.retention_days',
    })
    assert.deepEqual(explain('zzzzzz'), { kind: 'unknown', nearest: undefined })
  })
})
