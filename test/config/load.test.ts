import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { loadConfig } from '../../config/load.js'
import { formatProblem } from '../../config/problem.js'
import { Secret } from '../../src/core/secret.js'
import { accepted, loadText, problemsOf, tempFolder } from './support.js'

const MiB = 1024 * 1024
const HASH = `scrypt:16384:8:1:${'c2FsdA'}:${'0123456789abcdef'.repeat(4)}`

describe('loading the configuration', () => {
  describe('where it is looked for', () => {
    it('takes defaults when no file is found', () => {
      using folder = tempFolder()
      const loaded = accepted(
        loadConfig({ env: {}, cwd: folder.path, searched: ['./yori.conf'] }),
      )
      assert.equal(loaded.source, 'defaults')
      assert.equal(loaded.config.mode, 'observe')
      assert.deepEqual(loaded.config.listen, ['0.0.0.0:8443', '[::]:8443'])
      assert.deepEqual(loaded.warnings, [])
    })

    it('takes the first place that has a file', () => {
      using folder = tempFolder()
      const searched = ['a/yori.conf', 'b/yori.conf', './yori.conf']
      const load = () =>
        accepted(loadConfig({ env: {}, cwd: folder.path, searched })).source
      const last = folder.write('yori.conf', 'mode: observe')
      assert.equal(load(), last)
      mkdirSync(join(folder.path, 'b'))
      const middle = folder.write('b/yori.conf', 'mode: observe')
      assert.equal(load(), middle)
    })

    it('looks in the places of a FreeBSD and a Linux system, then here', async () => {
      const { SEARCHED } = await import('../../config/find-file.js')
      assert.deepEqual(SEARCHED, [
        '/usr/local/etc/yori/yori.conf',
        '/etc/yori/yori.conf',
        './yori.conf',
      ])
    })

    it('does not pass over a file that it finds and cannot use', () => {
      using folder = tempFolder()
      mkdirSync(join(folder.path, 'first'))
      folder.write('yori.conf', 'mode: observe')
      const searched = ['first', './yori.conf']
      const problems = problemsOf(loadConfig({ env: {}, cwd: folder.path, searched }))
      assert.match(problems[0]?.wrong ?? '', /is a folder/)
    })

    it('never falls back from a file that was named', () => {
      using folder = tempFolder()
      folder.write('yori.conf', 'mode: observe')
      const loaded = loadConfig({ path: 'other.conf', env: {}, cwd: folder.path })
      assert.deepEqual(problemsOf(loaded).map(formatProblem), [
        `${join(folder.path, 'other.conf')}: does not exist; \`yori config init --out FILE\` writes one`,
      ])
    })
  })

  describe('files that are none', () => {
    it('refuses a device without opening it', () => {
      const loaded = loadConfig({ path: '/dev/zero', env: {}, cwd: '/' })
      assert.match(problemsOf(loaded)[0]?.wrong ?? '', /not a regular file/)
    })

    it('refuses a file over 1 MiB and reads one of exactly that size', () => {
      const text = 'mode: observe\n'.padEnd(MiB, '#')
      assert.equal(loadText(text).kind, 'ok')
      assert.match(
        problemsOf(loadText(`${text}#`))[0]?.wrong ?? '',
        /larger than 1048576/,
      )
    })

    it('refuses text that is not UTF-8', () => {
      const bytes = Uint8Array.of(...Buffer.from('mode: '), 0xff, 0xfe)
      assert.match(problemsOf(loadText(bytes))[0]?.wrong ?? '', /not UTF-8/)
    })

    it('refuses a list and a single value', () => {
      for (const text of ['- mode\n', 'observe\n', '5\n']) {
        assert.match(problemsOf(loadText(text))[0]?.wrong ?? '', /is no configuration/)
      }
    })

    for (const [title, text] of [
      ['an empty file', ''],
      ['blanks and line ends', ' \n\n \n'],
      ['only comments', '# mode: enforce\n# listen: 127.0.0.1:8443\n'],
      ['a byte-order mark', '\ufeff'],
      ['an explicit nothing', '~\n'],
      ['null', 'null\n'],
      ['the beginning of a document', '---\n'],
      ['a document that begins and ends', '---\n...\n'],
      ['a map without keys', '{}\n'],
    ] as const) {
      it(`refuses ${title}: no file means the defaults, that is for keys to say`, () => {
        const [problem, ...more] = problemsOf(loadText(text))
        assert.match(problem?.wrong ?? '', /holds no configuration/)
        assert.deepEqual(more, [])
      })

      it(`refuses ${title} also where a variable or a flag says something`, () => {
        const mode = { from: 'command line', path: ['mode'], value: 'enforce' } as const
        const loaded = loadText(text, {
          env: { YORI_LISTEN: '127.0.0.1:9999' },
          flags: [{ name: '--mode', ...mode }],
        })
        assert.match(problemsOf(loaded)[0]?.wrong ?? '', /holds no configuration/)
      })
    }

    it('refuses a link that leads nowhere', () => {
      using folder = tempFolder()
      const path = join(folder.path, 'yori.conf')
      symlinkSync(join(folder.path, 'gone'), path)
      assert.match(
        problemsOf(loadConfig({ path, env: {}, cwd: '/' }))[0]?.wrong ?? '',
        /does not exist/,
      )
    })

    it('ends aliases that multiply', () => {
      const laughs = ['a: &a [x,x,x,x,x,x,x,x,x]']
      for (let n = 1; n < 9; n++) {
        const [above, here] = ['abcdefghi'[n - 1], 'abcdefghi'[n]]
        laughs.push(`${here}: &${here} [${Array(9).fill(`*${above}`).join()}]`)
      }
      const indented = laughs.map((line) => `        ${line}`).join('\n')
      const text = `policies:\n  files:\n    p:\n      params:\n${indented}\n`
      assert.match(problemsOf(loadText(text))[0]?.wrong ?? '', /aliases that multiply/)
    })
  })

  describe('small files', () => {
    for (const [title, text] of [
      ['mode alone', 'mode: observe\n'],
      ['sections without keys', 'audit:\nlimits:\nlisten:\npolicies:\n  files:\n'],
      ['a byte-order mark', '\ufeffmode: observe\n'],
      ['Windows line ends', 'mode: observe\r\nlog:\r\n  level: info\r\n'],
    ] as const) {
      it(`takes ${title} and fills every default`, () => {
        const { config } = accepted(loadText(text))
        const { config: defaults } = accepted(
          loadConfig({ env: {}, cwd: '/', searched: [] }),
        )
        assert.deepEqual(config, defaults)
      })
    }
  })

  describe('values', () => {
    it('reads sizes in powers of 1024 and of 1000', () => {
      for (const [text, bytes] of [
        ['10485760', 10_485_760],
        ['"10485760"', 10_485_760],
        ['10MiB', 10_485_760],
        ['10mib', 10_485_760],
        ['10 MiB', 10_485_760],
        ['10MB', 10_000_000],
        ['64KiB', 65_536],
        ['64kB', 64_000],
        ['1GiB', 1_073_741_824],
        ['1.5MiB', 1_572_864],
        ['512B', 512],
      ] as const) {
        const { config } = accepted(loadText(`proxy: { max_request_size: ${text} }`))
        assert.equal(config.proxy.max_request_size, bytes, text)
      }
    })

    it('refuses sizes that are no whole number of bytes, negative or ambiguous', () => {
      for (const text of ['1.3KiB', '-1MiB', '10M', 'MiB', '1_000', '0', '0x10GiB']) {
        assert.equal(
          loadText(`proxy: { max_request_size: ${text} }`).kind,
          'invalid',
          text,
        )
      }
    })

    it('makes one listen address a list', () => {
      const { config } = accepted(loadText('listen: 127.0.0.1:8443'))
      assert.deepEqual(config.listen, ['127.0.0.1:8443'])
    })

    it('gives names, hardware addresses and paths one form', () => {
      using folder = tempFolder()
      const path = folder.write(
        'yori.conf',
        'endpoints: [{ domain: API.OpenAI.com. }]\n' +
          'intercept: { exempt_devices: [02-00-5E-10-00-01, 0200.5e10.0002] }\n' +
          'enforcement: { allowlist: { devices: [{ name: a, mac: 02-00-5E-AB-00-01 }] } }\n' +
          'audit: { database: store/audit.db }\n',
      )
      const { config } = accepted(loadConfig({ path, env: {}, cwd: '/' }))
      assert.equal(config.endpoints[0]?.domain, 'api.openai.com')
      assert.deepEqual(config.intercept.exempt_devices, [
        '02:00:5e:10:00:01',
        '02:00:5e:10:00:02',
      ])
      assert.equal(config.enforcement.allowlist.devices[0]?.mac, '02:00:5e:ab:00:01')
      assert.equal(config.audit.database, join(folder.path, 'store/audit.db'))
    })

    it('keeps the database and the CA in the state folder unless told otherwise', () => {
      const { config } = accepted(loadText('state_dir: /srv/yori'))
      assert.equal(config.audit.database, '/srv/yori/audit.db')
      assert.equal(config.ca.directory, '/srv/yori/ca')
    })

    it('lets the caller choose another default state folder, under the file', () => {
      const inVar = accepted(loadText('mode: observe', { cwd: '/srv', stateDir: 'var' }))
      assert.equal(inVar.config.state_dir, '/srv/var')
      assert.equal(inVar.config.audit.database, '/srv/var/audit.db')
      const inFile = accepted(
        loadText('state_dir: /data', { cwd: '/srv', stateDir: 'var' }),
      )
      assert.equal(inFile.config.ca.directory, '/data/ca')
    })

    it('makes proxy.upstream_timeout the deadline of response heads', () => {
      const { config } = accepted(loadText('proxy: { upstream_timeout: 30 }'))
      assert.equal(config.timeouts.response_header, 30)
    })

    it('fills the defaults of every entry', () => {
      const { config } = accepted(
        loadText(
          'endpoints: [{ domain: a.example }]\n' +
            'policies: { files: { bedtime: {} } }\n' +
            'enforcement: { allowlist: { devices: [{ name: a, ip: 192.0.2.1 }] } }\n',
        ),
      )
      assert.deepEqual(config.endpoints, [
        { domain: 'a.example', enabled: true, route: 'intercept' },
      ])
      assert.deepEqual(config.policies.files, {
        bedtime: {
          enabled: true,
          action: 'alert',
          fail_mode: 'open',
          order: 100,
          params: {},
        },
      })
      assert.deepEqual(config.enforcement.allowlist.devices, [
        { name: 'a', ip: '192.0.2.1', enabled: true, permanent: false, exempt: true },
      ])
    })

    it('keeps strange names as ordinary keys', () => {
      const { config } = accepted(
        loadText(
          'policies: { files: { __proto__: { params: { __proto__: { x: 1 } } } } }',
        ),
      )
      assert.deepEqual(Object.keys(config.policies.files), ['__proto__'])
      assert.equal(({} as Record<string, unknown>)['x'], undefined)
    })

    it('freezes the whole', () => {
      const { config } = accepted(
        loadText('policies: { files: { p: { params: { a: [{ b: 1 }] } } } }'),
      )
      const open: string[] = []
      const visit = (value: unknown, path: string): void => {
        if (typeof value !== 'object' || value === null) return
        if (!Object.isFrozen(value)) open.push(path)
        for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`)
      }
      visit(config, 'config')
      assert.deepEqual(open, [])
    })
  })

  describe('secrets', () => {
    const text =
      'ca: { passphrase: "pre-${PASS}-post" }\n' +
      'enforcement: { override_password_hash: "${HASH}" }\n' +
      `access: { users: [{ name: anna, password_hash: '${HASH}' }] }\n`

    it('expands variables in them and wraps them', () => {
      const { config } = accepted(loadText(text, { env: { PASS: 'tulip', HASH } }))
      assert.ok(config.ca.passphrase instanceof Secret)
      assert.equal(config.ca.passphrase.reveal(), 'pre-tulip-post')
      assert.equal(config.enforcement.override_password_hash?.reveal(), HASH)
      assert.equal(config.access.users[0]?.password_hash.reveal(), HASH)
    })

    it('shows them in no printed form of the configuration', () => {
      const loaded = accepted(loadText(text, { env: { PASS: 'tulip', HASH } }))
      for (const printed of [
        JSON.stringify(loaded),
        inspect(loaded, { depth: null, showHidden: true }),
      ]) {
        assert.match(printed, /\[redacted\]/)
        assert.doesNotMatch(printed, /tulip|0123456789abcdef/)
      }
    })

    it('expands nothing elsewhere, and says so', () => {
      const loaded = accepted(
        loadText('audit: { database: "/tmp/${USER}.db" }', { env: { USER: 'anna' } }),
      )
      assert.equal(loaded.config.audit.database, '/tmp/${USER}.db')
      assert.match(loaded.warnings[0]?.wrong ?? '', /expanded in secrets only/)
    })

    it('names every variable that is not set or empty', () => {
      const loaded = loadText('ca: { passphrase: "${ONE}${TWO}${3}" }', {
        env: { TWO: '' },
      })
      assert.deepEqual(
        problemsOf(loaded).map(({ wrong }) => wrong),
        [
          'the environment variable "ONE" is not set',
          'the environment variable "TWO" is not set',
          'the environment variable "3" is not set',
        ],
      )
    })

    it('reads the passphrase from a file of its own', () => {
      using folder = tempFolder()
      const secretFile = folder.write('pass', 'tulip \nsecond line\n')
      const path = folder.write('yori.conf', 'ca:\n  passphrase_file: pass\n')
      const load = () => loadConfig({ path, env: {}, cwd: '/' })
      chmodSync(secretFile, 0o600)
      const { ca } = accepted(load()).config
      assert.equal(ca.passphrase?.reveal(), 'tulip ')
      assert.equal(ca.passphrase_file, secretFile)
      assert.ok(Object.isFrozen(ca))

      const faults: string[] = []
      chmodSync(secretFile, 0o640)
      faults.push(...problemsOf(load()).map(({ line, wrong }) => `${line} ${wrong}`))
      chmodSync(folder.write('pass', '\n'), 0o600)
      faults.push(...problemsOf(load()).map(({ line, wrong }) => `${line} ${wrong}`))
      folder.write('pass', 'x'.repeat(4097))
      faults.push(...problemsOf(load()).map(({ line, wrong }) => `${line} ${wrong}`))
      rmSync(secretFile)
      faults.push(...problemsOf(load()).map(({ line, wrong }) => `${line} ${wrong}`))
      assert.deepEqual(faults, [
        `2 ${secretFile} can be read or written by others`,
        `2 the first line of ${secretFile} is empty`,
        `2 ${secretFile} is larger than 4096 bytes`,
        `2 ${secretFile} does not exist or cannot be read`,
      ])
    })

    it('warns of a passphrase in a file that everyone can read', () => {
      using folder = tempFolder()
      const path = folder.write('yori.conf', 'ca: { passphrase: tulip }')
      const warnings = (mode: number) => {
        chmodSync(path, mode)
        return accepted(loadConfig({ path, env: {}, cwd: '/' })).warnings
      }
      assert.match(warnings(0o644)[0]?.wrong ?? '', /every user/)
      assert.deepEqual(warnings(0o600), [])
    })
  })

  describe('the environment', () => {
    const file =
      'mode: observe\nlisten: 127.0.0.1:1\naudit: { database: /f.db, bodies: both }\n'

    it('stands over the file, and the file over the defaults', () => {
      const env = {
        YORI_MODE: 'advisory',
        YORI_LISTEN: '127.0.0.1:2, [::1]:2',
        YORI_AUDIT_DB: 'e.db',
        YORI_POLICY_DIR: '/',
      }
      const { config, origins } = accepted(loadText(file, { env, cwd: '/here' }))
      assert.equal(config.mode, 'advisory')
      assert.deepEqual(config.listen, ['127.0.0.1:2', '[::1]:2'])
      assert.equal(config.audit.database, '/here/e.db')
      assert.equal(config.audit.bodies, 'both')
      assert.equal(config.policies.directory, '/')
      assert.deepEqual(origins.mode, ['environment'])
      assert.deepEqual(origins.audit, ['file', 'environment'])
      assert.deepEqual(origins.log, ['default'])
    })

    it('counts for nothing where a variable is empty', () => {
      const { config } = accepted(
        loadText(file, { env: { YORI_MODE: '', YORI_LISTEN: '' } }),
      )
      assert.equal(config.mode, 'observe')
      assert.deepEqual(config.listen, ['127.0.0.1:1'])
    })

    it('is named when the fault is its own', () => {
      const env = { YORI_MODE: 'enfroce', YORI_LISTEN: '127.0.0.1:2,8443' }
      assert.deepEqual(
        problemsOf(loadText(file, { env })).map((problem) => formatProblem(problem)),
        [
          'environment YORI_LISTEN: "8443" is a port without an address; expected host:port ' +
            'with a port from 0 to 65535, such as 0.0.0.0:8443 or [::]:8443',
          'environment YORI_MODE: "enfroce" is not known (did you mean enforce?); expected ' +
            'one of observe, advisory, enforce',
        ],
      )
    })

    it('does not hide a section of the wrong type', () => {
      const loaded = loadText('audit: 5\n', { env: { YORI_AUDIT_DB: '/e.db' } })
      assert.match(problemsOf(loaded)[0]?.wrong ?? '', /5 is a number/)
    })

    it('and the command line have paths that start where the process does', () => {
      const path = ['proxy', 'tls_cert']
      const cert = { name: '--cert', from: 'command line', path, value: 'a.pem' } as const
      const key = {
        ...cert,
        name: '--key',
        path: ['proxy', 'tls_key'],
        value: '../k.pem',
      }
      const { config } = accepted(loadText(file, { cwd: '/here', flags: [cert, key] }))
      assert.equal(config.proxy.tls_cert, '/here/a.pem')
      assert.equal(config.proxy.tls_key, '/k.pem')
    })

    it('gives way to the command line', () => {
      const flag = {
        name: '--mode',
        from: 'command line',
        path: ['mode'],
        value: 'observe',
      } as const
      const loaded = loadText(file, { env: { YORI_MODE: 'advisory' }, flags: [flag] })
      assert.equal(accepted(loaded).config.mode, 'observe')
      const env = { YORI_MODE: 'y' }
      const wrong = loadText(file, { env, flags: [{ ...flag, value: 'x' }] })
      assert.match(
        formatProblem(problemsOf(wrong)[0]!),
        /^command line --mode: "x" is not/,
      )
    })
  })

  describe('warnings', () => {
    const rows: readonly (readonly [string, string, string, RegExp])[] = [
      [
        'enforcement without its mode',
        'enforcement: { enabled: true, consent_accepted: true }',
        '1:25 enforcement.enabled',
        /will not activate: mode is observe/,
      ],
      [
        'mode enforce alone',
        'mode: enforce\nenforcement: { consent_accepted: true }\n',
        '1:7 mode',
        /will not activate: enforcement\.enabled is false/,
      ],
      [
        'two deadlines for one thing',
        'proxy: { upstream_timeout: 5 }\ntimeouts: { response_header: 6 }',
        '2:30 timeouts.response_header',
        /gives way/,
      ],
      [
        'an open proxy',
        'access: { relay: all, clients: [0.0.0.0/0] }',
        '1:33 access.clients[0]',
        /open proxy/,
      ],
      [
        'a part larger than its whole',
        'limits: { exchanges: 10, exchanges_per_endpoint: 20 }',
        '1:50 limits.exchanges_per_endpoint',
        /more than limits\.exchanges \(10\)/,
      ],
      [
        'a body that cannot be held',
        'inspect: { max_body_bytes: 32MiB }',
        '1:28 inspect.max_body_bytes',
        /held_body_bytes_per_client/,
      ],
      [
        'a group that is not there',
        'enforcement: { allowlist: { devices: [{ name: a, ip: 192.0.2.1, group: kids }] } }',
        '1:72 enforcement.allowlist.devices[0].group',
        /"kids" is not a group/,
      ],
      [
        'a file that is not there',
        'upstream: { extra_ca: [/nowhere/root.pem] }',
        '1:24 upstream.extra_ca[0]',
        /does not exist/,
      ],
      [
        'an unsalted hash',
        `enforcement: { admin_token_hash: 'sha256:${'ab'.repeat(32)}' }`,
        '1:34 enforcement.admin_token_hash',
        /unsalted/,
      ],
    ]
    for (const [title, text, at, wrong] of rows) {
      it(`tells of ${title}, and loads`, () => {
        const { warnings } = accepted(loadText(text))
        assert.deepEqual(
          warnings.map(({ line, column, key }) => `${line}:${column} ${key}`),
          [at],
        )
        assert.match(warnings[0]?.wrong ?? '', wrong)
      })
    }

    it('do not mind one port in two address families', () => {
      const loaded = loadText("listen: '[::]:8088'")
      assert.deepEqual(accepted(loaded).warnings, [])
    })

    it('do not blame a part that is larger than its whole by default only', () => {
      assert.deepEqual(accepted(loadText('limits: { connections: 100 }')).warnings, [])
    })
  })

  it('says on which line an entry stands', () => {
    const text =
      'enforcement:\n  allowlist:\n    devices:\n' +
      '      - { name: a, ip: 192.0.2.1 }\n' +
      '      - name: b\n        ip: 192.0.2.2\n'
    const { lineOf } = accepted(loadText(text))
    assert.equal(lineOf('enforcement.allowlist.devices[1]'), 5)
    assert.equal(lineOf('audit'), undefined)
  })
})
