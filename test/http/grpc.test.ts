/** What gRPC makes of an answer; the expectations are those of gRPC's own documents. */
import assert from 'node:assert/strict'
import {
  grpcFailure,
  grpcStatusOf,
  grpcTrailersOnly,
  isGrpc,
} from '../../src/http/grpc.js'

function raw(...fields: string[]): string[] {
  return fields
}

describe('gRPC', () => {
  it('is told by its content type; gRPC-Web is another', () => {
    for (const type of [
      'application/grpc',
      'application/grpc+proto',
      'Application/GRPC+json; charset=utf-8',
    ])
      assert.equal(isGrpc('2.0', type), true, type)
    for (const type of [
      undefined,
      'application/json',
      'application/grpc-web',
      'application/grpc-web+proto',
      'application/grpcx',
    ])
      assert.equal(isGrpc('2.0', type), false, String(type))
  })

  it('has a status for what an HTTP status says', () => {
    const known = [400, 401, 403, 404, 429, 502, 503, 504].map(grpcStatusOf)
    assert.deepEqual(known, [13, 16, 7, 12, 14, 14, 14, 14])
  })

  it('ends in one head, its message escaped', () => {
    const fields = grpcTrailersOnly(7, 'no: 100 % nöt\n\u{1f600}')
    assert.deepEqual(fields, [
      ...['content-type', 'application/grpc', 'grpc-status', '7'],
      ...['grpc-message', 'no: 100 %25 n%C3%B6t%0A%F0%9F%98%80'],
    ])
    const [, , ...end] = fields
    assert.equal(grpcFailure(raw(...end)), 'gRPC status 7: no: 100 % nöt\n\u{1f600}')
  })

  it('failed when its status is another than 0', () => {
    assert.equal(grpcFailure(raw('grpc-status', '0')), undefined)
    assert.equal(grpcFailure(raw('x-other', '1')), undefined)
    assert.equal(grpcFailure(raw('Grpc-Status', '5')), 'gRPC status 5: ')
    const bad = raw('grpc-status', '2', 'grpc-message', '50% of %zz %')
    assert.equal(grpcFailure(bad), 'gRPC status 2: 50% of %zz %')
    const long = raw('grpc-status', '2', 'grpc-message', 'x'.repeat(10_000))
    assert.equal(grpcFailure(long)?.length, 200)
  })
})
