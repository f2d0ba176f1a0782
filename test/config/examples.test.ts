import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { loadConfig } from '../../config/load.js'
import type { Ok } from './support.js'
import { packageFile } from '../../src/core/package-root.js'
import { accepted, loadText } from './support.js'

const env = { YORI_OVERRIDE_HASH: `scrypt:16384:8:1:c2FsdA:${'ab'.repeat(32)}` }
const load = (name: string): Ok =>
  accepted(loadConfig({ path: packageFile('config', 'examples', name), env, cwd: '/' }))

describe('the example configurations', () => {
  it('load without a problem, each of them', () => {
    const names = readdirSync(packageFile('config', 'examples'))
    assert.deepEqual(names, ['block-everything.conf', 'family.conf', 'observe.conf'])
    for (const name of names) {
      // A policy folder that this machine lacks is worth a word, nothing else is.
      const { warnings } = load(name)
      assert.deepEqual(
        warnings.filter(({ key }) => key !== 'policies.directory'),
        [],
        name,
      )
    }
  })

  it('block every governed request', () => {
    const { config } = load('block-everything.conf')
    assert.equal(config.mode, 'enforce')
    assert.deepEqual(config.listen, ['0.0.0.0:8443'])
    assert.equal(config.enforcement.enabled, true)
    assert.equal(config.enforcement.consent_accepted, true)
    assert.deepEqual(Object.keys(config.policies.files), ['default'])
    assert.equal(config.policies.files['default']?.action, 'block')
    assert.equal(config.audit.database, '/var/db/yori/audit.db')
  })

  it('observe one provider', () => {
    const { config } = load('observe.conf')
    assert.deepEqual(config.endpoints, [
      { domain: 'api.openai.com', enabled: true, route: 'intercept' },
    ])
    assert.equal(config.audit.retention_days, 365)
    assert.equal(config.policies.directory, '/usr/local/etc/yori/policies')
    assert.equal(config.policies.default, 'home_default.rego')
  })

  it('serve a family', () => {
    const { config, lineOf } = load('family.conf')
    assert.equal(
      config.enforcement.override_password_hash?.reveal(),
      env.YORI_OVERRIDE_HASH,
    )
    assert.deepEqual(config.policies.files['bedtime']?.params, {
      start_hour: 21,
      end_hour: 6,
      exempt_groups: ['parents'],
    })
    assert.equal(config.proxy.max_request_size, 32 * 1024 * 1024)
    assert.equal(typeof lineOf('enforcement.allowlist.devices[0]'), 'number')
  })
})

describe('configurations as they are in use', () => {
  it('load with a listener, two endpoints, a store, and consent in another mode', () => {
    const { config, warnings } = accepted(
      loadText(
        [
          'listen: "0.0.0.0:8443"  # Proxy listen address',
          'endpoints:',
          '  - domain: api.openai.com',
          '    enabled: true',
          '  - domain: api.anthropic.com',
          '    enabled: true',
          'audit:',
          '  database: /var/db/yori/audit.db',
          'enforcement:',
          '  enabled: true',
          '  consent_accepted: true',
        ].join('\n'),
      ),
    )
    assert.equal(config.endpoints.length, 2)
    assert.deepEqual(
      warnings.map(({ key }) => key),
      ['enforcement.enabled'],
    )
  })

  it('load with a certificate, a deadline and a limit of their own', () => {
    const { config } = accepted(
      loadText(
        [
          'proxy:',
          '  tls_cert: /usr/local/etc/yori/yori.crt',
          '  tls_key: /usr/local/etc/yori/yori.key',
          '  upstream_timeout: 30',
          '  max_request_size: 10485760  # 10MB',
        ].join('\n'),
      ),
    )
    assert.equal(config.timeouts.response_header, 30)
    assert.equal(config.proxy.max_request_size, 10_485_760)
  })
})
