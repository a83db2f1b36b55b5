/**
 * The walls of the house. `docs/walls.test.ts` seeds one violation per rule, for a wall that matches
 * nothing is the usual failure.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'db-imports-nobody',
      comment: 'db is what the sides share; it knows none of them.',
      severity: 'error',
      from: { path: '^db/src/' },
      to: { path: '^(worker|transcoder|web|local|e2e|bench)/' },
    },
    {
      name: 'contract-is-pure',
      comment:
        'The contract runs in workerd, in Node and in the browser: zod and itself, nothing else.',
      severity: 'error',
      from: { path: '^db/src/contract/', pathNot: '[.]test[.]ts$' },
      to: { pathNot: '^(db/src/contract/|node_modules/zod/)' },
    },
    {
      name: 'web-sees-only-the-client',
      comment: 'The web app talks to the API through its typed client and in no other way.',
      severity: 'error',
      from: { path: '^web/app/' },
      to: { path: '^(worker|db|transcoder|local)/', pathNot: '^worker/src/client[.]ts$' },
    },
    {
      name: 'worker-and-transcoder-meet-in-db',
      severity: 'error',
      from: { path: '^(worker|transcoder)/src/', pathNot: '[.]test[.]ts$|/testing/' },
      to: { path: '^(worker|transcoder|web|local|e2e|bench)/', pathNot: '^$1/' },
    },
    {
      name: 'routes-speak-http',
      comment: 'Routes call services; SQL and vendors are below.',
      severity: 'error',
      from: { path: '^worker/src/routes/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(worker/src/(repos|platform)/|db/src/schema/|node_modules/drizzle-orm/)' },
    },
    {
      name: 'services-speak-music',
      comment: 'Services know neither HTTP nor SQL; they see repos and platform as types.',
      severity: 'error',
      from: { path: '^worker/src/services/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(db/src/schema/|node_modules/(hono|@hono|drizzle-orm)/)' },
    },
    {
      name: 'only-deps-constructs',
      comment: 'deps.ts is the composition root of the Worker.',
      severity: 'error',
      from: {
        path: '^worker/src/',
        pathNot: '^worker/src/(deps[.]ts|platform/|repos/|schedules/)|[.]test[.]ts$|/testing/',
      },
      to: { path: '^worker/src/(repos|platform)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'platform-knows-nobody-above',
      comment: 'Platform speaks vendor; what it needs of the others it is handed.',
      severity: 'error',
      from: { path: '^(worker|transcoder)/src/platform/', pathNot: '[.]test[.]ts$' },
      to: { path: '^$1/src/', pathNot: '^$1/src/platform/' },
    },
    {
      name: 'one-importer-of-fluent-ffmpeg',
      severity: 'error',
      from: { pathNot: '^transcoder/src/platform/ffmpeg/index[.]ts$|node_modules' },
      to: { path: 'node_modules/fluent-ffmpeg/' },
    },
    {
      name: 'one-importer-of-hls-js',
      severity: 'error',
      from: { pathNot: '^web/app/player/hls-engine[.]ts$|node_modules' },
      to: { path: 'node_modules/hls[.]js/' },
    },
    {
      name: 'one-importer-of-meyda',
      severity: 'error',
      from: { pathNot: '^transcoder/src/audio/[^/]+$|node_modules' },
      to: { path: 'node_modules/meyda/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)([.]types|build|[.]wrangler|[.]local)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mts', '.mjs', '.js', '.json'],
    },
  },
}
