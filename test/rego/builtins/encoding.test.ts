import assert from 'node:assert/strict'
import { setOf } from '../../../src/rego/value.js'
import { call, checkAll, context } from './call.js'

// Expected: RFC 4648 §10, RFC 1321 A.5, FIPS 180-4 examples, RFC 2202, RFC 4231, Go's net/url.
describe('rego encodings', () => {
  checkAll([
    ['base64.encode', '["foobar"]', '"Zm9vYmFy"'],
    ['base64.encode', '["fo"]', '"Zm8="'],
    ['base64.encode', '["f"]', '"Zg=="'],
    ['base64.decode', '["Zm9vYmE="]', '"fooba"'],
    ['base64.decode', '["Zm9v\\nYmFy"]', '"foobar"'],
    ['base64.decode', '["Zg"]', '!base64.decode: illegal base64 data at input byte 0'],
    ['base64.decode', '["Zm9_"]', '!base64.decode: illegal base64 data at input byte 3'],
    ['base64.is_valid', '["Zm9v"]', 'true'],
    ['base64.is_valid', '["Zm9"]', 'false'],
    ['base64.is_valid', '["Zg==x"]', 'false'],
    ['base64url.encode', '["a?>~"]', '"YT8-fg=="'],
    ['base64url.encode_no_pad', '["a?>~"]', '"YT8-fg"'],
    ['base64url.decode', '["YT8-fg"]', '"a?>~"'],
    ['base64url.decode', '["YT8-fg=="]', '"a?>~"'],
    [
      'base64url.decode',
      '["abcde"]',
      '!base64url.decode: illegal base64url string: abcde',
    ],
    ['hex.encode', '["lorem"]', '"6c6f72656d"'],
    ['hex.decode', '["6C6f72656d"]', '"lorem"'],
    ['hex.decode', '["6"]', '!hex.decode: encoding/hex: odd length hex string'],
    ['hex.decode', '["zz"]', "!hex.decode: encoding/hex: invalid byte: U+007A 'z'"],
    [
      'urlquery.encode',
      '["x=https://w.org/a b&c~"]',
      '"x%3Dhttps%3A%2F%2Fw.org%2Fa+b%26c~"',
    ],
    ['urlquery.decode', '["a%3Db+c%C3%A9"]', '"a=b cé"'],
    ['urlquery.decode', '["%zz"]', '!urlquery.decode: invalid URL escape "%zz"'],
    ['urlquery.encode_object', '[{"b": ["2", "1"], "a": "x y"}]', '"a=x+y&b=2&b=1"'],
    [
      'urlquery.encode_object',
      '[{"a": 1}]',
      '!urlquery.encode_object: operand 1 values must be string, array[string], or set[string]',
    ],
    [
      'urlquery.decode_object',
      '["a=1&b=2&a=3&c"]',
      '{"a": ["1", "3"], "b": ["2"], "c": [""]}',
    ],
    [
      'json.marshal',
      '[{"b": [1, 2.50, "<&>"], "a": null}]',
      '"{\\"a\\":null,\\"b\\":[1,2.50,\\"\\\\u003c\\\\u0026\\\\u003e\\"]}"',
    ],
    ['json.marshal', [setOf([2, 1])], '"[1,2]"'],
    [
      'json.marshal_with_options',
      '[{"a": [1, {}]}, {"pretty": true}]',
      '"{\\n\\t\\"a\\": [\\n\\t\\t1,\\n\\t\\t{}\\n\\t]\\n}"',
    ],
    [
      'json.marshal_with_options',
      '[[1], {"prefix": ">", "indent": " "}]',
      '">[\\n> 1\\n>]"',
    ],
    ['json.marshal_with_options', '[[1], {"indent": " ", "pretty": false}]', '"[1]"'],
    [
      'json.marshal_with_options',
      '[1, {"color": true}]',
      '!json.marshal_with_options: operand 2 object contained unknown key "color"',
    ],
    ['json.unmarshal', '["{\\"a\\": [1e2, true]}"]', '{"a": [1e2, true]}'],
    ['json.unmarshal', '["{"]', '!json.unmarshal: unexpected end of JSON input'],
    ['json.is_valid', '["[1]"]', 'true'],
    ['json.is_valid', '["[1"]', 'false'],
    ['crypto.md5', '["message digest"]', '"f96b697d7cb7938d525a2f31aaf161d0"'],
    ['crypto.sha1', '["abc"]', '"a9993e364706816aba3e25717850c26c9cd0d89d"'],
    [
      'crypto.sha256',
      '["abc"]',
      '"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"',
    ],
    [
      'crypto.hmac.md5',
      '["what do ya want for nothing?", "Jefe"]',
      '"750c783e6ab0b503eaa86e310a5db738"',
    ],
    [
      'crypto.hmac.sha1',
      '["what do ya want for nothing?", "Jefe"]',
      '"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"',
    ],
    [
      'crypto.hmac.sha256',
      '["what do ya want for nothing?", "Jefe"]',
      '"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"',
    ],
    [
      'crypto.hmac.sha512',
      '["what do ya want for nothing?", "Jefe"]',
      '"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"',
    ],
    ['crypto.hmac.equal', '["ab", "ab"]', 'true'],
    ['crypto.hmac.equal', '["ab", "abc"]', 'false'],
    // RFC 9562 A.1; version 2 as OPA's conformance cases have it.
    [
      'uuid.parse',
      '["C232AB00-9414-11EC-B3C8-9F6BDECED846"]',
      '{"clocksequence": 13256, "macvariables": "local:multicast", "nodeid": "9f-6b-de-ce-d8-46", "time": 1645557742000000000, "variant": "RFC4122", "version": 1}',
    ],
    [
      'uuid.parse',
      '["000003e8-48b9-21ee-b200-325096b39f47"]',
      '{"clocksequence": 12800, "domain": "Person", "id": 1000, "macvariables": "local:unicast", "nodeid": "32-50-96-b3-9f-47", "time": 1693566990121469600, "variant": "RFC4122", "version": 2}',
    ],
    [
      'uuid.parse',
      '["{000003E8-48B9-21EE-B201-015096B39F47}"]',
      '{"clocksequence": 12801, "domain": "Group", "id": 1000, "macvariables": "global:multicast", "nodeid": "01-50-96-b3-9f-47", "time": 1693566990121469600, "variant": "RFC4122", "version": 2}',
    ],
    [
      'uuid.parse',
      '["000003e848b921eeb209005096b39f47"]',
      '{"clocksequence": 12809, "domain": "Domain9", "id": 1000, "macvariables": "global:unicast", "nodeid": "00-50-96-b3-9f-47", "time": 1693566990121469600, "variant": "RFC4122", "version": 2}',
    ],
    [
      'uuid.parse',
      '["urn:uuid:919108f7-52d1-4320-9bac-f847db4148a8"]',
      '{"variant": "RFC4122", "version": 4}',
    ],
    ['uuid.parse', '["919108f7"]', 'undefined'],
    ['units.parse', '["10G"]', '10000000000'],
    ['units.parse', '["10Gi"]', '10737418240'],
    ['units.parse', '["1500m"]', '1.5'],
    ['units.parse', '["0.0001m"]', '0.0000001'],
    ['units.parse', '["2.5e3K"]', '2500000'],
    ['units.parse', '["5E"]', '5000000000000000000'],
    ['units.parse', '["1.1Ki"]', '1126.4'],
    ['units.parse', '["12 k"]', '!units.parse: spaces not allowed in resource strings'],
    ['units.parse', '["10x"]', '!units.parse: unit x not recognized'],
    ['units.parse', '["1e9999999"]', '!units.parse: exponent too large'],
    ['units.parse_bytes', '["10MiB"]', '10485760'],
    ['units.parse_bytes', '[".5KB"]', '500'],
    ['units.parse_bytes', '["1.9"]', '1'],
    ['units.parse_bytes', '["\\"10\\"gb"]', '10000000000'],
    [
      'units.parse_bytes',
      '["0.0.0"]',
      '!units.parse_bytes: could not parse byte amount to a number',
    ],
    ['units.parse_bytes', '["KB"]', '!units.parse_bytes: no byte amount provided'],
    // semver.org, items 9 to 11.
    ['semver.compare', '["1.0.0-alpha", "1.0.0-alpha.1"]', '-1'],
    ['semver.compare', '["1.0.0-alpha.1", "1.0.0-alpha.beta"]', '-1'],
    ['semver.compare', '["1.0.0-alpha.beta", "1.0.0-beta"]', '-1'],
    ['semver.compare', '["1.0.0-beta.2", "1.0.0-beta.11"]', '-1'],
    ['semver.compare', '["1.0.0-rc.1", "1.0.0"]', '-1'],
    ['semver.compare', '["2.1.1", "2.1.0"]', '1'],
    ['semver.compare', '["1.0.0+20130313144700", "1.0.0+exp.sha.5114f85"]', '0'],
    [
      'semver.compare',
      '["1", "1.0.0"]',
      '!semver.compare: operand 1: string "1" is not a valid SemVer',
    ],
    ['semver.is_valid', '["1.0.0-0A.is.legal"]', 'true'],
    ['semver.is_valid', '["1.0"]', 'false'],
    ['semver.is_valid', '[1]', 'false'],
  ])

  it('makes one version 4 UUID for one name throughout an evaluation', () => {
    const evaluation = context()
    const uuid = call('uuid.rfc4122', ['x'], evaluation) as string
    assert.match(
      uuid,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    assert.equal(call('uuid.rfc4122', ['x'], evaluation), uuid)
    assert.notEqual(call('uuid.rfc4122', ['y'], evaluation), uuid)
  })

  it('prints every combination of what may be undefined or many', () => {
    const evaluation = context()
    call('internal.print', [[setOf(['a']), setOf([1, 2]), setOf([])]], evaluation)
    assert.deepEqual(evaluation.printed, ['a 1 <undefined>', 'a 2 <undefined>'])
  })
})
