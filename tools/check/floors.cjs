// The floors: an import goes to a neighbour in the same folder, or to a lower floor.
// `npm run floors` (dependency-cruiser) fails on an upward import, a sideways one, or a circle.
const floors = [
  { name: 'words', path: '^src/core/' },
  { name: 'codecs', path: '^src/(tls|http|rego)/' },
  {
    name: 'meaning',
    path: '^(src/(providers|detect|policy)/|config/(schema|from-schema|schema-[a-z-]+|defaults|explain)\\.ts|ca/(profile|asn1|x509|permitted[a-z-]*)\\.ts|pf/(rules[a-z-]*|render[a-z-]*)\\.ts)',
  },
  { name: 'edges', path: '^(src/(net|audit|processors)/|ca/|pf/|config/)' },
  { name: 'pipeline', path: '^src/proxy/' },
  { name: 'surfaces', path: '^src/(control|dashboard)/' },
  { name: 'composition', path: '^src/(appliance|generation|snapshot|policies)\\.ts' },
  { name: 'entry', path: '^src/cli/' },
]

// A path belongs to the first floor whose pattern fits it, so `ca/profile.ts` is meaning, not edges.
const own = (index) => ({
  path: floors[index].path,
  pathNot: floors.slice(0, index).map((floor) => floor.path),
})

const upward = floors.flatMap((floor, index) =>
  floors.slice(index + 1).map((higher, offset) => ({
    name: `${floor.name}-not-to-${higher.name}`,
    severity: 'error',
    from: own(index),
    to: own(index + 1 + offset),
  })),
)

// Folders on one floor meet through the words of `src/core`.
const sideways = [
  ['src/tls', 'src/(http|rego)'],
  ['src/http', 'src/(tls|rego)'],
  ['src/rego', 'src/(tls|http|core)'],
  ['src/providers', 'src/(detect|policy)'],
  ['src/detect', 'src/(providers|policy)'],
  ['src/policy', 'src/(providers|detect)'],
  ['src/net', '(src/(audit|processors)|ca|pf)'],
  ['src/audit', '(src/(net|processors)|ca|pf)'],
  ['ca', '(src/(net|audit|processors)|pf|config)'],
  ['pf', '(src/(net|audit|processors)|ca)'],
].map(([from, to]) => ({
  name: `${from}-not-sideways`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: `^${to}/` },
}))

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'product-not-to-tools-or-tests',
      severity: 'error',
      from: { path: '^(src|ca|pf|config)/' },
      to: { path: '^(tools|test)/' },
    },
    {
      name: 'runtime-not-to-dev-packages',
      severity: 'error',
      from: { path: '^(src|ca|pf|config)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    ...upward,
    ...sideways,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.d.ts'] },
  },
}
