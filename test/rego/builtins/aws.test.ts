import assert from 'node:assert/strict'
import { RegoObject, fromJson, objectOf } from '../../../src/rego/value.js'
import { call, check } from './call.js'

// The keys, time and requests of Amazon's own S3 examples ("Signature Calculations for the
// Authorization Header: Transferring Payload in a Single Chunk").
const config = fromJson({
  aws_access_key: 'AKIAIOSFODNN7EXAMPLE',
  aws_secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  aws_service: 's3',
  aws_region: 'us-east-1',
})
const timeNs = 1369353600000000000n
const host = 'https://examplebucket.s3.amazonaws.com'

function signatureOf(request: unknown): string {
  const signed = call('providers.aws.sign_req', [fromJson(request), config, timeNs])
  const headers = signed instanceof RegoObject ? signed.get('headers') : undefined
  const value = headers instanceof RegoObject ? headers.get('Authorization') : undefined
  return typeof value === 'string' ? value.slice(value.indexOf('SignedHeaders')) : ''
}

describe('rego requests for AWS', () => {
  it('signs GET Object as Amazon does', () => {
    assert.equal(
      signatureOf({
        method: 'GET',
        url: `${host}/test.txt`,
        headers: { range: 'bytes=0-9' },
      }),
      'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    )
  })

  it('signs GET Bucket Lifecycle as Amazon does', () => {
    assert.equal(
      signatureOf({ method: 'GET', url: `${host}/?lifecycle=` }),
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date,' +
        'Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    )
  })

  it('says which parameters are missing', () => {
    check([
      'providers.aws.sign_req',
      [objectOf([]), config, 0],
      '!providers.aws.sign_req: operand 1 missing required request parameters(s): {"method", "url"}',
    ])
    check([
      'providers.aws.sign_req',
      [fromJson({ method: 'get', url: 1 }), config, 0],
      '!providers.aws.sign_req: operand 1 invalid values for required request parameters(s): {"url"}',
    ])
  })
})
