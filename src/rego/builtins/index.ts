/** Every built-in function, and the names of those that OPA has and this evaluator has not. */
import type { Builtin } from '../builtin.js'
import { aggregates } from './aggregates.js'
import { arithmetic } from './arithmetic.js'
import { arraysAndSets } from './arrays.js'
import { encodings } from './encoding.js'
import { globs } from './glob.js'
import { numbers } from './numbers.js'
import { objects } from './objects.js'
import { privateKeys } from './private-keys.js'
import { regexes } from './regex.js'
import { signatures } from './aws.js'
import { stringBuiltins } from './strings.js'
import { graphql } from './graphql.js'
import { graphs } from './graphs.js'
import { hashes } from './hashes.js'
import { networks } from './net.js'
import { quantities } from './units.js'
import { times } from './time.js'
import { signedTokens } from './jwt-sign.js'
import { tokens } from './jwt.js'
import { tracing } from './tracing.js'
import { uuids } from './uuid.js'
import { versions } from './semver.js'
import { types } from './types.js'

export const builtins: readonly Builtin[] = [
  ...aggregates,
  ...arithmetic,
  ...arraysAndSets,
  ...encodings,
  ...globs,
  ...numbers,
  ...objects,
  ...privateKeys,
  ...regexes,
  ...signatures,
  ...stringBuiltins,
  ...graphql,
  ...graphs,
  ...hashes,
  ...networks,
  ...quantities,
  ...times,
  ...signedTokens,
  ...tokens,
  ...tracing,
  ...uuids,
  ...versions,
  ...types,
]

/**
 * Built-ins of OPA that are not here: a policy that calls one is refused when it is loaded, by
 * name. They ask the network, or need parts that this evaluator does not have.
 */
export const unsupported: readonly string[] = [
  'crypto.parse_private_keys',
  'crypto.x509.parse_and_verify_certificates',
  'crypto.x509.parse_and_verify_certificates_with_options',
  'crypto.x509.parse_certificate_request',
  'crypto.x509.parse_certificates',
  'crypto.x509.parse_keypair',
  'graphql.is_valid',
  'graphql.parse',
  'graphql.parse_and_verify',
  'graphql.schema_is_valid',
  'http.send',
  'internal.test_case',
  'json.match_schema',
  'json.verify_schema',
  'net.lookup_ip_addr',
  'rego.metadata.chain',
  'rego.metadata.rule',
  'rego.parse_module',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
]
