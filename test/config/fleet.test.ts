/** `audit.ship` and `fleet`: what `yori config check` says of them, and that it repeats no password. */
import assert from 'node:assert/strict'
import { formatProblem } from '../../config/problem.js'
import { showConfig } from '../../config/show-config.js'
import { accepted, loadText, problemsOf } from './support.js'

const ship = (fields: object) => JSON.stringify({ audit: { ship: fields } })
const counters = (fields: object) => JSON.stringify({ fleet: { counters: fields } })

describe('the configuration of a fleet', () => {
  it('says what a server of the record is not', () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [
        { url: 'postgres://db.example/yori' },
        /audit\.ship.* needs a name for this gateway/,
      ],
      [
        { url: 'redis://db.example', gateway: 'a' },
        /no URL of a server that takes the record/,
      ],
      [{ url: 'http://db.example/yori', gateway: 'a' }, /is no URL of PostgreSQL/],
      [{ url: 'postgres://db.example', gateway: 'a' }, /names no database/],
      [{ url: 'postgres:///yori', gateway: 'a' }, /names no host/],
      [
        { url: 'postgres://db.example/yori?sslmode=prefer', gateway: 'a' },
        /another sslmode than disable, require, verify-ca, verify-full/,
      ],
      [
        { url: 'postgres://db.example/yori?options=-c', gateway: 'a' },
        /a parameter that is not known here/,
      ],
      [
        { to: 'clickhouse', url: 'https://db.example/yori?database=x', gateway: 'a' },
        /has parameters, which are ours to set/,
      ],
    ]
    for (const [fields, says] of wrong) {
      const said = problemsOf(loadText(ship(fields)))
        .map(formatProblem)
        .join('\n')
      assert.match(said, says, JSON.stringify(fields))
    }
    accepted(
      loadText(ship({ url: 'postgres:///yori?host=/run/postgresql', gateway: 'a' })),
    )
    accepted(loadText(ship({ to: 'clickhouse', url: 'http://[::1]:8123', gateway: 'a' })))
  })

  it('says what a server of counters is not', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['http://counters.example', /is no URL of Redis/],
      ['redis://counters.example/first', /names a database that is no number/],
      ['redis://counters.example?timeout=1', /has parameters/],
    ]
    for (const [url, says] of wrong) {
      const said = problemsOf(loadText(counters({ url })))
        .map(formatProblem)
        .join('\n')
      assert.match(said, says, url)
    }
    accepted(loadText(counters({ url: 'rediss://me@counters.example:6380/3' })))
  })

  it('warns of a password in the file, shows none, and takes it from the environment', () => {
    const plain = accepted(
      loadText(ship({ url: 'postgres://me:hidden@db.example/yori', gateway: 'a' })),
    )
    const said = plain.warnings.map(formatProblem).join('\n')
    assert.match(said, /the password stands in plain text/)
    assert.doesNotMatch(said + JSON.stringify(plain.config) + showConfig(plain), /hidden/)
    const url = 'postgres://me:${WORD}@db.example/yori'
    const loaded = accepted(
      loadText(ship({ url, gateway: 'a' }), { env: { WORD: 'of env' } }),
    )
    assert.deepEqual(loaded.warnings, [])
    assert.match(String(loaded.config.audit.ship.url?.reveal()), /:of env@/)
  })
})
