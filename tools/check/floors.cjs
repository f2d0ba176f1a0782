// The rules of the house, made from the table in `rooms.cjs`; `npm run floors` holds every
// import to them. A file in no room fails, an import that climbs, one that goes sideways where
// its room names no neighbour, a circle, and what the product may not need.
const { FLOORS } = require('./rooms.cjs')

const PRODUCT = '^(src|ca|pf|config)/'
/** Data, and what the build writes beside the code. */
const NOT_CODE = '\\.(json|yaml|md|d\\.ts)$'

const rows = FLOORS.flatMap(({ floor, rooms }, height) =>
  rooms.map(({ room, path = `^${room}/`, calls = [], types = [] }) => ({
    ...{ room, path, calls, types, floor, height },
  })),
)

// A path belongs to the first row whose pattern fits it: `ca/profile.ts` is meaning, not edges.
const place = (index) => ({
  path: rows[index].path,
  pathNot: rows.slice(0, index).map(({ path }) => path),
})

const everyRoom = rows.map(({ path }) => path)

const inNoRoom = [
  { from: { path: PRODUCT, pathNot: [...everyRoom, NOT_CODE] }, to: {} },
  { from: {}, to: { path: PRODUCT, pathNot: [...everyRoom, NOT_CODE] } },
  { from: { orphan: true, path: PRODUCT, pathNot: [...everyRoom, NOT_CODE] }, to: {} },
].map((rule, index) => ({ name: `in-no-room-${index + 1}`, severity: 'error', ...rule }))

// What a room may reach: itself, every lower floor, and along the floor whom it names.
const walls = rows.flatMap((here, index) => {
  const below = rows.filter(({ height }) => height < here.height)
  const named = (list) => rows.filter(({ room }) => list.includes(room))
  const paths = (list) => list.map(({ path }) => path)
  const called = paths([here, ...below, ...named(here.calls)])
  const outside = { path: PRODUCT, pathNot: [...called, NOT_CODE] }
  const wall = { severity: 'error', from: place(index) }
  if (here.types.length === 0)
    return { ...wall, name: `${here.room} reaches out`, to: outside }
  const namedTypes = paths(named(here.types))
  return [
    {
      ...wall,
      name: `${here.room} reaches out`,
      to: { ...outside, pathNot: [...outside.pathNot, ...namedTypes] },
    },
    {
      ...wall,
      name: `${here.room} may only name types there`,
      to: { path: namedTypes, dependencyTypesNot: ['type-only'] },
    },
  ]
})

// A package of its own: it knows nothing of YORI, which knows it by its name alone.
const regoIsAPackage = [
  {
    name: 'rego imports nothing of YORI',
    severity: 'error',
    from: { path: '^src/rego/' },
    to: { path: PRODUCT, pathNot: '^src/rego/' },
  },
  {
    name: 'rego is imported by its name',
    severity: 'error',
    from: { path: PRODUCT, pathNot: '^src/rego/' },
    to: { path: '^src/rego/', dependencyTypesNot: ['aliased-tsconfig-paths'] },
  },
]

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'product-not-to-tools-or-tests',
      severity: 'error',
      from: { path: PRODUCT },
      to: { path: '^(tools|test)/' },
    },
    {
      // What browsers run is bundled with the packages that it uses.
      name: 'runtime-not-to-dev-packages',
      severity: 'error',
      from: { path: PRODUCT, pathNot: '^src/dashboard/pages/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    ...regoIsAPackage,
    ...inNoRoom,
    ...walls,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/rego/dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.d.ts'] },
  },
}
