import assert from 'node:assert/strict'
import { rowsOf } from '../../../tools/cases/crs-tests.js'
import { wafRowOf } from '../../../tools/cases/waf-row.js'

/** As CRS 3 writes them for FTW, and CRS 4 for go-ftw. */
const OLD = `
tests:
  - test_title: 942100-1
    stages:
      - stage:
          input:
            method: POST
            uri: "/"
            headers: {Host: localhost}
            data: "var=1234 OR 1=1"
          output:
            log_contains: id "942100"
  - test_title: 942100-2
    stages:
      - stage:
          input: {uri: "/?a=b", stop_magic: true, data: [one, two]}
          output:
            no_log_contains: 'id "942100"'
  - test_title: 942100-3
    stages:
      - stage:
          input: {encoded_request: "R0VUIC8="}
          output: {log_contains: id "942100"}
  - test_title: 942100-4
    stages:
      - stage:
          input: {uri: "/"}
          output: {status: [400]}
`
const NEW = `
rule_id: 942101
tests:
  - test_id: 7
    stages:
      - input: {method: GET, uri: "/?id=1"}
        output: {log: {expect_ids: [942101], no_expect_ids: [942100]}}
`

describe('regression tests of a rule set', () => {
  it('are rows, in either form of their runner', () => {
    const { rows, leftOut } = rowsOf(OLD, 'REQUEST-942/942100.yaml')
    assert.equal(leftOut, 2)
    assert.deepEqual(
      rows.map(({ test_id: id }) => id),
      ['942100-1', '942100-2'],
    )
    const [first, second] = rows.map((row) => wafRowOf({ ...row }))
    assert.deepEqual(first?.expects, [942100])
    assert.equal(first?.body?.toString(), 'var=1234 OR 1=1')
    assert.deepEqual(first.fields, [
      ['Content-Type', 'application/x-www-form-urlencoded'],
    ])
    assert.deepEqual([second?.expects, second?.forbids], [[], [942100]])
    // Nothing is added to what its author wants as it stands.
    assert.deepEqual(second?.fields, [])
    assert.equal(second.body?.toString(), 'one\r\ntwo')

    const [only] = rowsOf(NEW, '942101.yaml').rows
    const read = wafRowOf({ ...only })
    assert.deepEqual(
      [read?.family, read?.expects, read?.forbids],
      ['942', [942101], [942100]],
    )
  })
})
