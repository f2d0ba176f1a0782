/**
 * Programs that judge a certificate chain as clients do. Each says whether it believes the
 * server at a loopback port to be `name` when it trusts one root alone.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { derOf } from '../../../ca/export.js'
import { trustStore } from '../../../ca/pkcs12.js'
import { Chromium } from '../../support/chromium.js'
import { CHROMIUM } from '../../support/needs.js'
import type { Need } from '../../support/needs.js'
import { run } from './ca.js'

export interface Case {
  /** A folder for this case alone. */
  readonly folder: string
  readonly name: string
  readonly rootPem: string
  /** What the server sends, leaf first. */
  readonly chain: readonly string[]
  readonly port: number
}

export interface Verifier {
  readonly program: string
  readonly needs: readonly Need[]
  /** Made once, in a folder that stays for the suite; never when something is lacking. */
  prepare(folder: string): Promise<(one: Case) => Promise<boolean>>
}

async function installed(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    ({ code }) => code === 0,
    () => false,
  )
}

async function file(
  folder: string,
  name: string,
  text: string | Uint8Array,
): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const openssl: Verifier = {
  program: 'OpenSSL',
  needs: ['openssl'],
  prepare: async () => async (one) => {
    const [leaf = '', ...others] = one.chain
    const root = await file(one.folder, 'root.pem', one.rootPem)
    const rest = await file(one.folder, 'chain.pem', others.join(''))
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver']
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', root, '-untrusted', rest]
    const host = ['-verify_hostname', one.name]
    return (await run('openssl', [...args, ...host, ...trust], leaf)).code === 0
  },
}

const node: Verifier = {
  program: 'Node',
  needs: [],
  prepare: async () => async (one) => {
    const client = connect({
      port: one.port,
      host: '127.0.0.1',
      servername: one.name,
      ca: one.rootPem,
    })
    const good = await once(client, 'secureConnect').then(
      () => client.authorized,
      () => false,
    )
    client.destroy()
    return good
  },
}

const curl: Verifier = {
  program: 'curl',
  needs: ['curl'],
  prepare: async () => async (one) => {
    const root = await file(one.folder, 'root.pem', one.rootPem)
    const outcome = await run('curl', [
      ...['--silent', '--noproxy', '*', '--cacert', root, '--max-time', '10'],
      ...['--resolve', `${one.name}:${one.port}:127.0.0.1`],
      `https://${one.name}:${one.port}/`,
    ])
    return outcome.stdout === 'hello'
  },
}

const PYTHON = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
with socket.create_connection(('127.0.0.1', int(sys.argv[3])), timeout=10) as raw:
    context.wrap_socket(raw, server_hostname=sys.argv[2]).close()
`

const python: Verifier = {
  program: 'Python',
  needs: ['python3'],
  prepare: async () => {
    return async (one) => {
      const root = await file(one.folder, 'root.pem', one.rootPem)
      return installed('python3', '-c', PYTHON, root, one.name, String(one.port))
    }
  },
}

const gnutls: Verifier = {
  program: 'GnuTLS',
  needs: ['gnutls-cli'],
  prepare: async () => {
    return async (one) => {
      const root = await file(one.folder, 'root.pem', one.rootPem)
      const names = ['--sni-hostname', one.name, '--verify-hostname', one.name]
      const args = [
        '--x509cafile',
        root,
        ...names,
        '--port',
        String(one.port),
        '127.0.0.1',
      ]
      return (await run('gnutls-cli', args, '')).code === 0
    }
  },
}

/** NSS as Firefox keeps its certificates; it judges the chain, and the name by the leaf's own. */
const nss: Verifier = {
  program: 'NSS',
  needs: ['certutil'],
  prepare: async () => {
    return async (one) => {
      const database = join(one.folder, 'nss')
      await mkdir(database)
      const certutil = (...args: string[]): ReturnType<typeof run> =>
        run('certutil', [...args, '-d', `sql:${database}`])
      await certutil('-N', '--empty-password')
      const add = async (name: string, pem: string, trust: string): Promise<void> => {
        const path = await file(one.folder, `${name}.pem`, pem)
        await certutil('-A', '-n', name, '-t', trust, '-i', path)
      }
      await add('root', one.rootPem, 'C,,')
      for (const [i, pem] of one.chain.entries()) await add(`chain${i}`, pem, ',,')
      return (await certutil('-V', '-n', 'chain0', '-u', 'V', '-e')).code === 0
    }
  },
}

const JAVA = `
public class Client {
  public static void main(String[] args) throws Exception {
    try (var body = new java.net.URL(args[0]).openStream()) { body.readAllBytes(); }
  }
}`

const java: Verifier = {
  program: 'Java',
  needs: ['java', 'javac'],
  prepare: async (folder) => {
    await run('javac', ['-d', folder, await file(folder, 'Client.java', JAVA)])
    return async (one) => {
      const trusted = [{ alias: 'yori', der: derOf(one.rootPem) }]
      const bytes = trustStore(trusted, { password: 'changeit', random: randomBytes })
      const store = await file(one.folder, 'trust.p12', bytes)
      const hosts = await file(one.folder, 'hosts', `127.0.0.1 ${one.name}\n`)
      return installed(
        'java',
        `-Djdk.net.hosts.file=${hosts}`,
        `-Djavax.net.ssl.trustStore=${store}`,
        '-Djavax.net.ssl.trustStorePassword=changeit',
        '-cp',
        folder,
        'Client',
        `https://${one.name}:${one.port}/`,
      )
    }
  },
}

const GO = `
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	pem, _ := os.ReadFile(os.Args[1])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: os.Args[2]}
	if _, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[3], config); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

const go: Verifier = {
  program: 'Go',
  needs: ['go'],
  prepare: async (folder) => {
    const program = join(folder, 'client')
    const source = await file(folder, 'client.go', GO)
    const built = await run('go', ['build', '-o', program, source], '', 180_000)
    assert.equal(built.code, 0, built.stderr)
    return async (one) => {
      const root = await file(one.folder, 'root.pem', one.rootPem)
      return installed(program, root, one.name, String(one.port))
    }
  },
}

/** Its own verifier, with the roots that its user added to NSS. */
const chromium: Verifier = {
  program: 'Chromium',
  needs: CHROMIUM,
  prepare: () => {
    return Promise.resolve(async (one) => {
      await using browser = await Chromium.start({
        trust: [one.rootPem],
        hostRules: [`MAP ${one.name} 127.0.0.1:${one.port}`],
      })
      const page = await browser.page()
      const loaded = await page.navigate(`https://${one.name}/`).then(
        () => true,
        (error: Error) => {
          if (error.message.startsWith('net::ERR_CERT_')) return false
          throw error
        },
      )
      return loaded && (await page.text()) === 'hello'
    })
  },
}

export const verifiers: readonly Verifier[] = [
  openssl,
  node,
  curl,
  python,
  gnutls,
  nss,
  java,
  go,
  chromium,
]
