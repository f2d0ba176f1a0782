import assert from 'node:assert/strict'
import { loadText, problemsOf } from './support.js'

interface Row {
  readonly title: string
  readonly text: string
  /** `line:column key`, then what the two sentences must hold. */
  readonly at: string
  readonly wrong: RegExp
  readonly right: RegExp
  readonly env?: Readonly<Record<string, string>>
}

const rows: readonly Row[] = [
  {
    title: 'an unknown mode',
    text: '# a comment\nmode: enfroce\n',
    at: '2:7 mode',
    wrong: /"enfroce" is not known \(did you mean enforce\?\)/,
    right: /observe, advisory, enforce/,
  },
  {
    title: 'an unknown key at the top',
    text: 'mode: observe\nenforcment:\n  enabled: true\n',
    at: '2:1 enforcment',
    wrong: /not a known key/,
    right: /did you mean enforcement\?/,
  },
  {
    title: 'an unknown key in a section',
    text: 'audit:\n  bodies: none\n  retentionDays: 30\n',
    at: '3:3 audit.retentionDays',
    wrong: /not a known key/,
    right: /did you mean audit\.retention_days\?/,
  },
  {
    title: 'the beginning of a key',
    text: 'audit: { retention: 30 }\n',
    at: '1:10 audit.retention',
    wrong: /not a known key/,
    right: /did you mean audit\.retention_days\?/,
  },
  {
    title: 'a key one level too high',
    text: 'retention_days: 30\n',
    at: '1:1 retention_days',
    wrong: /not a known key/,
    right: /did you mean audit\.retention_days\?/,
  },
  {
    title: 'a key that resembles nothing',
    text: 'log:\n  colour_of_the_moon: 1\n',
    at: '2:3 log.colour_of_the_moon',
    wrong: /not a known key/,
    right: /known here: level, file, exchanges/,
  },
  {
    title: 'a port without an address',
    text: 'listen: "8443"\n',
    at: '1:9 listen[0]',
    wrong: /"8443" is a port without an address/,
    right: /host:port/,
  },
  {
    title: 'a number where text belongs',
    text: 'listen: 8443\n',
    at: '1:9 listen[0]',
    wrong: /8443 is a number/,
    right: /host:port/,
  },
  {
    title: 'an IPv6 address without brackets',
    text: 'listen: ["0.0.0.0:1", "::1"]\n',
    at: '1:23 listen[1]',
    wrong: /brackets/,
    right: /\[::\]:8443/,
  },
  {
    title: 'a port over 65535',
    text: 'listen: 0.0.0.0:65536\n',
    at: '1:9 listen[0]',
    wrong: /not host:port/,
    right: /65535/,
  },
  {
    title: 'more than 16 listen addresses',
    text: `listen: [${Array.from({ length: 17 }, (_, n) => `'127.0.0.1:${n + 1}'`).join()}]\n`,
    at: '1:9 listen',
    wrong: /more than 16 items/,
    right: /a list of 1 to 16 items/,
  },
  {
    title: 'no listen address at all',
    text: 'listen: []\n',
    at: '1:9 listen',
    wrong: /empty list/,
    right: /1 to 16/,
  },
  {
    title: 'the same listen address twice',
    text: 'listen:\n  - 0.0.0.0:8443\n  - 0.0.0.0:8443\n',
    at: '3:5 listen[1]',
    wrong: /already listen\[0\]/,
    right: /keep one/,
  },
  {
    title: 'the port of the control plane taken by the proxy',
    text: 'listen: 0.0.0.0:8088\n',
    at: '1:9 listen',
    wrong: /takes the port of control\.listen/,
    right: /different ports/,
  },
  {
    title: 'the control plane on every address of the port of the proxy',
    text: "listen: ['[::]:8443', '127.0.0.1:8443']\ncontrol: { listen: 0.0.0.0:8443 }\n",
    at: '1:23 listen[1]',
    wrong: /takes the port of control\.listen/,
    right: /different ports/,
  },
  {
    title: 'retention out of range',
    text: 'audit:\n  retention_days: 3651\n',
    at: '2:19 audit.retention_days',
    wrong: /3651 is out of range/,
    right: /from 1 to 3650/,
  },
  {
    title: 'a fraction where a whole number belongs',
    text: 'audit: { retention_days: 1.5 }\n',
    at: '1:26 audit.retention_days',
    wrong: /1\.5 is not a whole number/,
    right: /1 to 3650/,
  },
  {
    title: 'a size that is none',
    text: 'inspect:\n  max_body_bytes: 10 bananas\n',
    at: '2:19 inspect.max_body_bytes',
    wrong: /"10 bananas" is not a size/,
    right: /64KiB or 10MB/,
  },
  {
    title: 'a size over its maximum',
    text: 'inspect:\n  max_body_bytes: 65MiB\n',
    at: '2:19 inspect.max_body_bytes',
    wrong: /out of range/,
    right: /from 1KiB to 64MiB/,
  },
  {
    title: 'a duration with a unit',
    text: 'timeouts:\n  connect: 10s\n',
    at: '2:12 timeouts.connect',
    wrong: /"10s" is not a number/,
    right: /seconds from 0\.01 to 600/,
  },
  {
    title: 'a duration of nothing',
    text: 'timeouts:\n  connect: 0\n',
    at: '2:12 timeouts.connect',
    wrong: /0 is out of range/,
    right: /from 0\.01/,
  },
  {
    title: 'a duration over a day',
    text: 'timeouts:\n  tunnel_idle: 86401\n',
    at: '2:16 timeouts.tunnel_idle',
    wrong: /out of range/,
    right: /86400/,
  },
  {
    title: 'a number that is none',
    text: 'timeouts: { dns: .nan }\n',
    at: '1:18 timeouts.dns',
    wrong: /is not a number/,
    right: /seconds/,
  },
  {
    title: 'yes for true',
    text: 'enforcement:\n  enabled: yes\n',
    at: '2:12 enforcement.enabled',
    wrong: /"yes" is text \(YAML 1\.2 knows only true and false\)/,
    right: /true or false/,
  },
  {
    title: 'a key without its value',
    text: 'mode:\n',
    at: '1:6 mode',
    wrong: /has no value/,
    right: /observe/,
  },
  {
    title: 'a section that is a number',
    text: 'timeouts: 5\n',
    at: '1:11 timeouts',
    wrong: /5 is a number/,
    right: /a section with any of first_bytes/,
  },
  {
    title: 'a version of the future',
    text: 'config_version: 2\n',
    at: '1:17 config_version',
    wrong: /2 is newer than this YORI, which reads up to 1/,
    right: /install the YORI that wrote it, or put back .*yori\.conf\.v1/,
  },
  {
    title: 'an endpoint without its domain',
    text: 'endpoints:\n  - domain: api.openai.com\n  - enabled: true\n',
    at: '3:5 endpoints[1].domain',
    wrong: /missing/,
    right: /a host name/,
  },
  {
    title: 'an endpoint that is a URL',
    text: 'endpoints:\n  - domain: https://api.openai.com/v1\n',
    at: '2:13 endpoints[0].domain',
    wrong: /is a URL/,
    right: /a host name/,
  },
  {
    title: 'an endpoint that is an address',
    text: 'endpoints:\n  - domain: 192.0.2.1\n',
    at: '2:13 endpoints[0].domain',
    wrong: /is an IP address/,
    right: /a host name/,
  },
  {
    title: 'an endpoint with a port',
    text: 'endpoints:\n  - domain: api.openai.com:443\n',
    at: '2:13 endpoints[0].domain',
    wrong: /has a port/,
    right: /a host name/,
  },
  {
    title: 'an endpoint that covers a top level',
    text: "endpoints:\n  - domain: '*.com'\n",
    at: '2:13 endpoints[0].domain',
    wrong: /whole top level/,
    right: /\*\.example\.com/,
  },
  {
    title: 'a star inside a name',
    text: 'endpoints:\n  - domain: api.*.example.com\n',
    at: '2:13 endpoints[0].domain',
    wrong: /elsewhere than in front/,
    right: /\*\.name/,
  },
  {
    title: 'a name outside ASCII',
    text: 'endpoints:\n  - domain: bücher.example\n',
    at: '2:13 endpoints[0].domain',
    wrong: /is written xn--bcher-kva\.example in DNS/,
    right: /a host name/,
  },
  {
    title: 'the same endpoint in other letters',
    text: 'endpoints:\n  - domain: api.openai.com\n  - domain: API.OpenAI.com.\n',
    at: '3:13 endpoints[1].domain',
    wrong: /already endpoints\[0\]/,
    right: /keep one/,
  },
  {
    title: 'a route that does not exist',
    text: 'endpoints:\n  - { domain: a.example, route: splice }\n',
    at: '2:33 endpoints[0].route',
    wrong: /"splice" is not known/,
    right: /intercept, tunnel, refuse/,
  },
  {
    title: 'a pattern that YAML takes for an alias',
    text: 'intercept:\n  never: [*.bank.example]\n',
    at: '2:11 intercept.never[0]',
    wrong: /is an alias in YAML/,
    right: /put it into quotes: '\*\.bank\.example'/,
  },
  {
    title: 'a device that is neither address nor MAC',
    text: 'intercept:\n  exempt_devices: [kitchen]\n',
    at: '2:20 intercept.exempt_devices[0]',
    wrong: /neither an address/,
    right: /MAC address/,
  },
  {
    title: 'a prefix that is too long',
    text: 'access:\n  clients: [192.168.1.0/33]\n',
    at: '2:13 access.clients[0]',
    wrong: /neither an address, a prefix/,
    right: /192\.168\.1\.0\/24/,
  },
  {
    title: 'a resolve target without a port',
    text: 'upstream:\n  resolve:\n    api.example.com: 192.0.2.1\n',
    at: '3:22 upstream.resolve["api.example.com"]',
    wrong: /not an address with a port/,
    right: /192\.0\.2\.1:443/,
  },
  {
    title: 'a resolve name that is none',
    text: 'upstream:\n  resolve:\n    "a b": 192.0.2.1:443\n',
    at: '3:12 upstream.resolve["a b"]',
    wrong: /the name is not a host name/,
    right: /a host name/,
  },
  {
    title: 'a certificate without its key',
    text: 'proxy:\n  tls_cert: /tmp/a.pem\n',
    at: '2:13 proxy.tls_cert',
    wrong: /without tls_key/,
    right: /both or neither/,
  },
  {
    title: 'a key without its certificate',
    text: 'proxy:\n  tls_key: /tmp/a.pem\n',
    at: '2:12 proxy.tls_key',
    wrong: /without tls_cert/,
    right: /both or neither/,
  },
  {
    title: 'a gateway of agents without its key',
    text: 'mcp:\n  gateway:\n    url: https://a.example\n    agent_id: a\n',
    at: '3:5 mcp.gateway',
    wrong: /without key_file/,
    right: /all of url, agent_id and key_file, or none/,
  },
  {
    title: 'a path that a shell would have to expand',
    text: 'state_dir: ~/yori\n',
    at: '1:12 state_dir',
    wrong: /~, which is not expanded/,
    right: /a path/,
  },
  {
    title: 'enforcement without consent',
    text: 'mode: enforce\nenforcement:\n  enabled: true\n',
    at: '3:3 enforcement.consent_accepted',
    wrong: /without consent \(consent_not_accepted\)/,
    right: /set it to true to consent.*break applications.*makes YORI fail/,
  },
  {
    title: 'enforcement with consent refused',
    text: 'mode: enforce\nenforcement:\n  enabled: true\n  consent_accepted: false\n',
    at: '4:21 enforcement.consent_accepted',
    wrong: /without consent/,
    right: /set it to true/,
  },
  {
    title: 'enforcement that is enabled without consent, in another mode',
    text: 'mode: advisory\nenforcement:\n  enabled: true\n',
    at: '3:12 enforcement.enabled',
    wrong: /without consent \(enforcement_enabled_without_consent\)/,
    right: /set enforcement\.consent_accepted to true.*set this to false/,
  },
  {
    title: 'the mode enforce without consent, not enabled',
    text: 'mode: enforce\n',
    at: '1:7 mode',
    wrong: /without consent \(mode_enforce_without_consent\)/,
    right: /set enforcement\.consent_accepted to true.*set it to advisory/,
  },
  {
    title: 'a password in place of its hash',
    text: 'enforcement:\n  override_password_hash: opensesame\n',
    at: '2:27 enforcement.override_password_hash',
    wrong: /^the value is not a hash$/,
    right: /scrypt/,
  },
  {
    title: 'the published sample hash',
    text:
      'enforcement:\n  emergency_override:\n    password_hash: ' +
      'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8\n',
    at: '3:20 enforcement.emergency_override.password_hash',
    wrong: /published sample/,
    right: /scrypt/,
  },
  {
    title: 'a secret whose variable is not set',
    text: 'ca:\n  passphrase: ${YORI_TEST_PASSPHRASE}\n',
    at: '2:15 ca.passphrase',
    wrong: /variable "YORI_TEST_PASSPHRASE" is not set/,
    right: /set it/,
  },
  {
    title: 'two passphrases',
    text: 'ca:\n  passphrase: abc\n  passphrase_file: /tmp/x\n',
    at: '2:15 ca.passphrase',
    wrong: /beside passphrase_file/,
    right: /one of them/,
  },
  {
    title: 'leaves that outlive their issuer',
    text: 'ca:\n  issuing_days: 30\n',
    at: '2:3 ca.leaf_days',
    wrong: /90 days outlive issuing_days \(30\)/,
    right: /ends before/,
  },
  {
    title: 'a leaf of more than 90 days',
    text: 'ca:\n  leaf_days: 91\n',
    at: '2:14 ca.leaf_days',
    wrong: /91 is out of range/,
    right: /1 to 90/,
  },
  {
    title: 'a time of day that is none',
    text: 'audit:\n  prune_at: "24:00"\n',
    at: '2:13 audit.prune_at',
    wrong: /not a time of day/,
    right: /HH:MM/,
  },
  {
    title: 'a time zone that is none',
    text: 'enforcement:\n  timezone: Europe/Atlantis\n',
    at: '2:13 enforcement.timezone',
    wrong: /not a time zone/,
    right: /IANA/,
  },
  {
    title: 'a time exception of no length',
    text:
      'enforcement:\n  allowlist:\n    time_exceptions:\n' +
      '      - name: a\n        start_time: "08:00"\n        end_time: "08:00"\n',
    at: '6:19 enforcement.allowlist.time_exceptions[0].end_time',
    wrong: /same as start_time/,
    right: /another end_time/,
  },
  {
    title: 'a person with nothing to log in by',
    text: 'control:\n  people:\n    - name: Ada\n',
    at: '3:7 control.people[0]',
    wrong: /neither password_hash nor pin_hash/,
    right: /one of them, or both/,
  },
  {
    title: 'a device without address',
    text: 'enforcement:\n  allowlist:\n    devices:\n      - name: tablet\n',
    at: '4:9 enforcement.allowlist.devices[0]',
    wrong: /neither ip nor mac/,
    right: /one of them/,
  },
  {
    title: 'a day in February that does not exist',
    text:
      'enforcement:\n  allowlist:\n    devices:\n' +
      '      - { name: a, ip: 192.0.2.1, expires_at: 2030-02-30T00:00:00Z }\n',
    at: '4:47 enforcement.allowlist.devices[0].expires_at',
    wrong: /not a date and time/,
    right: /RFC 3339/,
  },
  {
    title: 'a moment without its zone',
    text:
      'enforcement:\n  allowlist:\n    devices:\n' +
      '      - { name: a, ip: 192.0.2.1, expires_at: 2030-02-20T00:00:00 }\n',
    at: '4:47 enforcement.allowlist.devices[0].expires_at',
    wrong: /with its zone/,
    right: /Z$/,
  },
  {
    title: 'a user name with a colon',
    text: `access:\n  users:\n    - name: a:b\n      password_hash: scrypt:${'a'.repeat(40)}\n`,
    at: '3:13 access.users[0].name',
    wrong: /colon/,
    right: /another name/,
  },
  {
    title: 'an action that does not exist, under a name that objects inherit',
    text: 'policies:\n  files:\n    constructor: { action: deny }\n',
    at: '3:28 policies.files.constructor.action',
    wrong: /"deny" is not known/,
    right: /allow, alert, block/,
  },
  {
    title: 'a key called __proto__',
    text: 'audit:\n  __proto__: { retention_days: 1 }\n',
    at: '2:3 audit.__proto__',
    wrong: /not a known key/,
    right: /known here/,
  },
  {
    title: 'a policy by its file name',
    text: 'policies:\n  files:\n    bedtime.rego: { action: block }\n',
    at: '3:19 policies.files["bedtime.rego"]',
    wrong: /not a policy name/,
    right: /write bedtime$/,
  },
  {
    title: 'a policy file with a folder',
    text: 'policies:\n  default: ../home.rego\n',
    at: '2:12 policies.default',
    wrong: /not a plain file name/,
    right: /without a folder/,
  },
  {
    title: 'a key given twice',
    text: 'audit:\n  bodies: none\n  retention_days: 1\n  bodies: both\n',
    at: '4:3 audit.bodies',
    wrong: /a second time \(first on line 2\)/,
    right: /keep one/,
  },
  {
    title: 'an address in brackets without quotes',
    text: 'mode: observe\nlisten: [::]:8443\n',
    at: '2:13 ',
    wrong: /not YAML/,
    right: /quotes, such as '\[::\]:8443'/,
  },
  {
    title: 'a tab for indentation',
    text: 'audit:\n\tbodies: none\n',
    at: '2:1 ',
    wrong: /tab/,
    right: /spaces/,
  },
  {
    title: 'a bracket that is never closed',
    text: 'listen: ["0.0.0.0:8443"\nmode: observe\n',
    at: '2:1 ',
    wrong: /not YAML/,
    right: /brackets/,
  },
  {
    title: 'two documents in one file',
    text: 'mode: observe\n---\nmode: enforce\n',
    at: '2:1 ',
    wrong: /second document/,
    right: /one/,
  },
  {
    title: 'a tag',
    text: 'mode: !!js/function x\n',
    at: '1:7 ',
    wrong: /tag/,
    right: /leave the tag/,
  },
  {
    title: 'an alias inside what it stands for',
    text: 'policies:\n  files:\n    p:\n      params: &a\n        again: *a\n',
    at: '5:16 policies.files.p.params.again',
    wrong: /stands inside what it stands for/,
    right: /write the value out/,
  },
  {
    title: 'nesting of 33 levels',
    text: `policies: { files: { p: { params: { x: ${'['.repeat(28)}${']'.repeat(28)} } } } }\n`,
    at: `1:67 policies.files.p.params.x${'[0]'.repeat(27)}`,
    wrong: /deeper than 32/,
    right: /flatten/,
  },
]

describe('a wrong configuration', () => {
  for (const { title, text, at, wrong, right, env } of rows) {
    it(`is told by line, key, fault and fix: ${title}`, () => {
      const loaded = loadText(text, { env: env ?? {} })
      assert.equal(loaded.kind, 'invalid')
      const found = problemsOf(loaded).map(
        ({ line, column, key }) => `${line}:${column} ${key}`,
      )
      assert.ok(found.includes(at), `expected ${at} among ${found.join(' | ')}`)
      const problem = problemsOf(loaded)[found.indexOf(at)]
      assert.match(problem?.wrong ?? '', wrong)
      assert.match(problem?.right ?? '', right)
      assert.match(problem?.file ?? '', /yori\.conf$/)
    })
  }

  it('is told whole, in the order of the file, whatever finds each fault', () => {
    const text = [
      'mode: enforce', // with line 11: no consent
      'listen: 8443', // type
      'audit:',
      '  retention_days: 4000', // range
      '  retention_days: 4001', // repeated
      'endpoints:',
      '  - domain: api.openai.com',
      '  - domain: api.openai.com', // twice
      '    rout: tunnel', // unknown
      'enforcement:',
      '  enabled: true',
      '  admin_token_hash: ${NOT_SET}', // variable
      'proxy:',
      '  tls_cert: /tmp/cert.pem', // half a pair
    ].join('\n')
    const problems = problemsOf(loadText(text))
    assert.deepEqual(
      problems.map(({ line, key }) => `${line} ${key}`),
      [
        '2 listen[0]',
        '5 audit.retention_days',
        '5 audit.retention_days',
        '8 endpoints[1].domain',
        '9 endpoints[1].rout',
        '11 enforcement.consent_accepted',
        '12 enforcement.admin_token_hash',
        '14 proxy.tls_cert',
      ],
    )
  })

  it('judges the sound entries of a list beside the faulty ones', () => {
    const text =
      'enforcement:\n  allowlist:\n    devices:\n' +
      '      - { name: a, ip: nowhere }\n' +
      '      - { name: b }\n' +
      '      - { ip: 192.0.2.1 }\n'
    assert.deepEqual(
      problemsOf(loadText(text)).map(({ line, wrong }) => `${line} ${wrong}`),
      [
        '4 "nowhere" is not an IP address',
        '4 has neither ip nor mac',
        '5 has neither ip nor mac',
        '6 is missing',
      ],
    )
  })

  it('never shows a secret, also when it is wrong', () => {
    const text = [
      'enforcement:',
      '  override_password_hash: hunter2hunter2',
      '  admin_token_hash: ${HUNTER}',
      '  emergency_override: { password_hash: [hunter2hunter2] }',
      'ca: { passphrase: {hunter2hunter2: 1} }',
      'access: { users: [{ name: a, password_hash: 24681357 }] }',
    ].join('\n')
    const loaded = loadText(text, { env: { HUNTER: 'hunter2hunter2' } })
    assert.equal(problemsOf(loaded).length, 5)
    assert.doesNotMatch(JSON.stringify(problemsOf(loaded)), /hunter2|24681357/)
  })

  it('shows a strange value in one line that no terminal obeys', () => {
    const text = `mode: "\\e[31m${'x'.repeat(500)}\\u202e"\n`
    const { wrong } = problemsOf(loadText(text))[0] ?? { wrong: '' }
    assert.match(wrong, /^[\x20-\x7e]{1,120}$/)
  })

  it('names at most 100 problems and counts the rest', () => {
    const text = Array.from({ length: 250 }, (_, n) => `key_${n}: 1`).join('\n')
    const problems = problemsOf(loadText(text))
    assert.equal(problems.length, 101)
    assert.equal(problems.at(-1)?.wrong, '150 more problems')
  })
})
