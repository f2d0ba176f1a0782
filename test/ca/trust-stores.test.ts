import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { derOf, fingerprints } from '../../ca/export.js'
import { mobileconfig } from '../../ca/mobileconfig.js'
import { trustStore } from '../../ca/pkcs12.js'
import { run, serveTls, startCa } from './support/ca.js'
import type { TestCa } from './support/ca.js'
import { needs } from '../support/needs.js'

async function storeOf(ca: TestCa, password = 'changeit'): Promise<string> {
  const der = derOf(ca.authority.rootPem)
  return ca.file(
    'trust.p12',
    trustStore([{ alias: 'yori', der }], { password, random: randomBytes }),
  )
}

/** Run from source: one class, one URL. */
const CLIENT = `
import java.net.URL;
public class Client {
  public static void main(String[] args) throws Exception {
    try (var body = new URL(args[0]).openStream()) {
      System.out.print(new String(body.readAllBytes()));
    }
  }
}`

describe('the PKCS#12 trust store', () => {
  it('is one that OpenSSL reads, with our root and no key', async function () {
    needs(this, 'openssl')
    await using ca = await startCa()
    const store = await storeOf(ca, 'gehëim')
    const read = await run('openssl', [
      'pkcs12',
      '-in',
      store,
      '-passin',
      'pass:gehëim',
      '-info',
    ])
    assert.equal(read.code, 0, read.stderr)
    assert.match(read.stderr, /MAC: sha256, Iteration 10000/)
    assert.match(read.stdout, /friendlyName: yori/)
    assert.ok(read.stdout.includes(ca.authority.rootPem.trim()))
    assert.ok(!read.stdout.includes('PRIVATE KEY'))
    const wrong = await run('openssl', [
      'pkcs12',
      '-in',
      store,
      '-passin',
      'pass:other',
      '-info',
    ])
    assert.match(wrong.stderr, /invalid password|Mac verify error/)
  })

  it('is one entry that keytool calls trusted', async function () {
    needs(this, 'keytool')
    await using ca = await startCa()
    const store = await storeOf(ca)
    const shown = await run('keytool', [
      ...[
        '-list',
        '-v',
        '-keystore',
        store,
        '-storetype',
        'PKCS12',
        '-storepass',
        'changeit',
      ],
    ])
    assert.match(shown.stdout, /Your keystore contains 1 entry/)
    assert.match(shown.stdout, /Alias name: yori\n/)
    assert.match(shown.stdout, /Entry type: trustedCertEntry/)
    assert.ok(shown.stdout.includes(fingerprints(ca.authority.rootPem).sha256))
  })

  it('makes a Java client believe a minted host', async function () {
    needs(this, 'java', 'javac')
    await using ca = await startCa()
    const store = await storeOf(ca)
    const source = await ca.file('Client.java', CLIENT)
    const { certPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    const key = ca.authority.leafKeyPem
    await using server = await serveTls(createSecureContext({ cert: certPem, key }))
    const hosts = `-Djdk.net.hosts.file=${await ca.file('hosts', '127.0.0.1 api.openai.com\n')}`
    const url = `https://api.openai.com:${server.port}/`
    const trusting = await run('java', [
      hosts,
      `-Djavax.net.ssl.trustStore=${store}`,
      '-Djavax.net.ssl.trustStorePassword=changeit',
      source,
      url,
    ])
    assert.equal(trusting.stdout, 'hello', trusting.stderr)
    const other = await run('java', [hosts, source, url])
    assert.match(other.stderr, /unable to find valid certification path/)
  })
})

describe('the Apple profile', () => {
  it('is a property list that carries the root', async function () {
    needs(this, 'python3')
    await using ca = await startCa()
    const der = derOf(ca.authority.rootPem)
    const path = await ca.file('yori.mobileconfig', mobileconfig(der, 'Home & <Co>'))
    const script =
      'import plistlib,sys,json,base64\n' +
      "print(json.dumps(plistlib.load(open(sys.argv[1],'rb')),default=lambda b:base64.b64encode(b).decode()))"
    const parsed = await run('python3', ['-c', script, path])
    assert.equal(parsed.code, 0, parsed.stderr)
    const profile = JSON.parse(parsed.stdout) as Record<string, unknown>
    const [payload = {}] = profile['PayloadContent'] as Record<string, unknown>[]
    assert.equal(profile['PayloadType'], 'Configuration')
    assert.equal(profile['PayloadOrganization'], 'Home & <Co>')
    assert.equal(payload['PayloadType'], 'com.apple.security.root')
    assert.equal(payload['PayloadContent'], der.toString('base64'))
    const uuid = /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/
    assert.match(String(profile['PayloadUUID']), uuid)
    assert.match(String(payload['PayloadUUID']), uuid)
    assert.notEqual(profile['PayloadUUID'], payload['PayloadUUID'])
  })

  it('is the same for the same root, and another for another', async () => {
    await using ca = await startCa()
    await using other = await startCa()
    const of = (from: TestCa): string =>
      mobileconfig(derOf(from.authority.rootPem), 'YORI')
    const uuid = (text: string): string | undefined =>
      /<key>PayloadUUID<\/key>\n<string>(.*)<\/string>/.exec(text)?.[1]
    assert.equal(of(ca), of(ca))
    assert.notEqual(uuid(of(ca)), uuid(of(other)))
  })
})
