/**
 * Where everything lives: one row a room, from the ground up. An import goes to a neighbour in
 * the same room, to a lower floor, or along the floor to a room that the row names: `types` may
 * be named in an annotation, `calls` may also run. Every product file stands in exactly one
 * row: the first whose pattern fits. `floors.cjs` turns this table into rules.
 */
const meaningOfConfig = '(schema|from-schema|schema-[a-z-]+|defaults|explain)'
const meaningOfCa = '(profile|asn1|x509|permitted[a-z-]*)'
const meaningOfPf = '(rules[a-z-]*|render[a-z-]*|check[a-z-]*)'

const FLOORS = [
  { floor: 'words', rooms: [{ room: 'src/core' }] },
  {
    floor: 'codecs',
    rooms: [
      { room: 'src/json' },
      { room: 'src/http', calls: ['src/json'] },
      { room: 'src/protobuf' },
      { room: 'src/tls' },
      { room: 'src/rego' },
      { room: 'src/placeholders' },
    ],
  },
  {
    floor: 'meaning',
    rooms: [
      { room: 'config/schema', path: `^config/${meaningOfConfig}\\.ts$` },
      { room: 'ca/profile', path: `^ca/${meaningOfCa}\\.ts$` },
      { room: 'pf/rules', path: `^pf/${meaningOfPf}\\.ts$`, calls: ['config/schema'] },
      { room: 'src/pools' },
      {
        room: 'src/policy',
        calls: ['config/schema', 'src/detect'],
        types: ['src/pools'],
      },
      { room: 'src/providers', calls: ['config/schema', 'src/detect'] },
      { room: 'src/detect' },
      { room: 'src/risks' },
    ],
  },
  {
    floor: 'edges',
    rooms: [
      { room: 'config' },
      { room: 'ca' },
      { room: 'pf', calls: ['config'] },
      { room: 'src/net' },
      { room: 'src/audit' },
      { room: 'src/processors' },
      { room: 'src/bundle', calls: ['config'] },
    ],
  },
  {
    floor: 'memories',
    rooms: [
      { room: 'src/household' },
      { room: 'src/conversations' },
      { room: 'src/learned' },
    ],
  },
  {
    floor: 'pipeline',
    rooms: [
      { room: 'src/proxy/words', types: ['src/proxy/bounds'] },
      { room: 'src/proxy/bounds' },
      { room: 'src/proxy/answers', calls: ['src/proxy/words'] },
      { room: 'src/proxy/reading', calls: ['src/proxy/words', 'src/proxy/bounds'] },
      {
        room: 'src/proxy/websocket',
        calls: [
          'src/proxy/words',
          'src/proxy/bounds',
          'src/proxy/answers',
          'src/proxy/reading',
        ],
      },
      {
        room: 'src/proxy/judging',
        calls: ['src/proxy/words', 'src/proxy/answers', 'src/proxy/websocket'],
        types: ['src/proxy/reading', 'src/proxy/exchange'],
      },
      {
        room: 'src/proxy/exchange',
        calls: [
          'src/proxy/words',
          'src/proxy/bounds',
          'src/proxy/answers',
          'src/proxy/reading',
          'src/proxy/judging',
          'src/proxy/websocket',
        ],
      },
      {
        room: 'src/proxy/mcp',
        calls: ['src/proxy/words', 'src/proxy/answers', 'src/proxy/reading'],
      },
      { room: 'src/proxy/site', calls: ['src/proxy/words', 'src/proxy/answers'] },
      { room: 'src/proxy/fronts', calls: ['src/proxy/words', 'src/proxy/bounds'] },
      {
        room: 'src/proxy/dispatch',
        calls: [
          'src/proxy/words',
          'src/proxy/bounds',
          'src/proxy/answers',
          'src/proxy/site',
          'src/proxy/exchange',
          'src/proxy/mcp',
          'src/proxy/judging',
        ],
        types: ['src/proxy/fronts'],
      },
      {
        room: 'src/proxy/connection',
        calls: ['src/proxy/words', 'src/proxy/bounds', 'src/proxy/answers'],
        types: ['src/proxy/fronts'],
      },
    ],
  },
  {
    floor: 'assembly',
    rooms: [
      { room: 'src/assembly/from-config' },
      { room: 'src/assembly', calls: ['src/assembly/from-config'] },
    ],
  },
  {
    floor: 'surfaces',
    rooms: [
      {
        room: 'src/control',
        calls: ['src/metrics', 'src/replay', 'src/report', 'src/mcp'],
        types: ['src/alerts'],
      },
      { room: 'src/dashboard', types: ['src/control'] },
      { room: 'src/metrics' },
      { room: 'src/alerts' },
      { room: 'src/report', calls: ['src/alerts'] },
      { room: 'src/replay' },
      { room: 'src/interceptors', calls: ['src/metrics', 'src/replay'] },
      { room: 'src/doctor', calls: ['src/waf'] },
      { room: 'src/service' },
      { room: 'src/fleet', calls: ['src/metrics'] },
      { room: 'src/mcp', calls: ['src/control'] },
      { room: 'src/waf' },
    ],
  },
  {
    floor: 'commands',
    rooms: [
      { room: 'src/cli', path: '^src/cli/(?!(?:main|program|command-list)\\.ts$)[^/]+$' },
      { room: 'src/cli/status', calls: ['src/cli'] },
      { room: 'src/cli/commands/ca', calls: ['src/cli'] },
      { room: 'src/cli/commands/policy', calls: ['src/cli'] },
      { room: 'src/cli/commands/household', calls: ['src/cli'] },
      { room: 'src/cli/commands/record', calls: ['src/cli'] },
      { room: 'src/cli/commands/steer', calls: ['src/cli'] },
      { room: 'src/cli/exec', calls: ['src/cli'] },
      {
        room: 'src/cli/commands/run',
        calls: ['src/cli', 'src/cli/status', 'src/cli/exec'],
      },
    ],
  },
  {
    floor: 'entry',
    rooms: [
      { room: 'src/cli/main', path: '^src/cli/(main|program|command-list)\\.ts$' },
      { room: 'src/index', path: '^src/index\\.ts$' },
    ],
  },
]

module.exports = { FLOORS }
