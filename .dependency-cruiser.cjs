/** The arrows of docs/architecture.md: imports go downward only, and each foreign library has one room. Highest first. */
const LAYERS = [
  'cli',
  'doctor',
  'web',
  'http',
  'realtime',
  'access',
  'metrics',
  'webhooks',
  'jobs',
  'worker',
  'processing',
  'evaluation',
  'catalog',
  'outbound',
  'exported',
  'inference',
  'architectures',
  'rewriting',
  'quantization',
  'onnx',
  'checkpoints',
  'imaging',
  'client',
  'options',
  'files',
];

/** What a layer may import beside itself and the files beside the rooms. All of it lies below the layer. */
const MAY_IMPORT = {
  cli: [
    'doctor',
    'worker',
    'evaluation',
    'processing',
    'catalog',
    'architectures',
    'imaging',
    'client',
    'options',
    'files',
  ],
  doctor: ['worker', 'catalog', 'inference', 'imaging', 'options'],
  // The page of the dashboard runs in a browser: of all but the client and how options are counted it knows the types alone.
  web: ['client', 'processing', 'catalog', 'imaging', 'options'],
  http: [
    'realtime',
    'access',
    'metrics',
    'jobs',
    'worker',
    'processing',
    'catalog',
    'outbound',
    'inference',
    'onnx',
    'architectures',
    'checkpoints',
    'imaging',
    'options',
    'files',
  ],
  realtime: ['access', 'jobs', 'processing'],
  access: ['jobs', 'outbound'],
  metrics: ['jobs', 'processing', 'options'],
  webhooks: ['jobs', 'outbound'],
  jobs: ['worker', 'processing', 'options', 'files'],
  worker: ['processing', 'inference', 'files'],
  evaluation: ['imaging'],
  processing: [
    'evaluation',
    'inference',
    'catalog',
    'exported',
    'architectures',
    'rewriting',
    'quantization',
    'onnx',
    'checkpoints',
    'imaging',
    'options',
    'files',
  ],
  inference: [],
  catalog: ['exported', 'architectures', 'outbound', 'files'],
  outbound: [],
  exported: ['inference', 'architectures', 'onnx', 'checkpoints', 'imaging'],
  architectures: ['onnx', 'checkpoints', 'imaging'],
  rewriting: ['onnx'],
  quantization: ['onnx', 'checkpoints'],
  onnx: ['checkpoints'],
  checkpoints: [],
  imaging: ['options'],
  client: ['options'],
  options: [],
  files: [],
};

for (const [layer, others] of Object.entries(MAY_IMPORT)) {
  const upward = others.filter((other) => LAYERS.indexOf(other) <= LAYERS.indexOf(layer));
  if (upward.length > 0) throw new Error(`${layer} may not import ${upward.join(', ')}: not below it in LAYERS`);
}

const layerRules = LAYERS.map((layer) => ({
  name: `${layer}-imports-downward`,
  severity: 'error',
  from: { path: `^app/${layer}/` },
  to: { path: '^app/[^/]+/', pathNot: `^app/(${[layer, ...MAY_IMPORT[layer]].join('|')})/` },
}));

/** Rooms within a room, and which of their neighbours they may import; the files of the room around them all may. */
const INNER_ROOMS = {
  processing: {
    'dry-run': ['restore', 'faces', 'upscale', 'networks'],
    restore: ['faces', 'upscale', 'networks'],
    faces: ['upscale', 'networks'],
    upscale: ['networks'],
    int8: ['networks'],
    networks: [],
  },
  http: { a1111: ['receiving', 'routes'] },
  imaging: { codec: [], pillow: [], opencv: [] },
  jobs: { local: [], redis: [], storage: [] },
};

const innerRules = Object.entries(INNER_ROOMS).flatMap(([room, inner]) =>
  Object.entries(inner).map(([name, others]) => ({
    name: `${room}-${name}-imports-downward`,
    severity: 'error',
    from: { path: `^app/${room}/${name}/` },
    to: { path: `^app/${room}/[^/]+/`, pathNot: `^app/${room}/(${[name, ...others].join('|')})/` },
  })),
);

/** The files beside the rooms: who in the house may import each, for its types alone too, and what it may import itself. */
const ANY = '^app/';
const FILES = {
  errors: { importedBy: ANY, imports: '^$' },
  config: {
    importedBy:
      '^app/((cli|doctor|http|realtime|jobs|worker|processing|catalog)/|(logger|main|container|worker-container)\\.ts$)',
    imports: '^app/(options/|files/|errors\\.ts$)',
  },
  logger: { importedBy: '^app/((http|realtime|webhooks|jobs)/|container\\.ts$)', imports: '^app/config\\.ts$' },
  'worker-container': { importedBy: '^app/worker/', imports: ANY },
  container: { importedBy: '^app/main\\.ts$', imports: ANY },
  main: { importedBy: '^app/cli/', imports: ANY },
};

const fileRules = Object.entries(FILES).flatMap(([file, { importedBy, imports }]) => [
  {
    name: `${file}-is-known-where-it-may-be`,
    severity: 'error',
    from: { path: '^app/', pathNot: importedBy },
    to: { path: `^app/${file}\\.ts$` },
  },
  {
    name: `${file}-imports-downward`,
    severity: 'error',
    from: { path: `^app/${file}\\.ts$` },
    to: { path: '^app/', pathNot: imports },
  },
]);

/** A library, and the only places that may import it. */
const ROOMS = {
  sharp: '^app/imaging/codec',
  'onnxruntime-node': '^app/inference/',
  got: '^app/catalog/',
  express: '^app/http/',
  busboy: '^app/http/',
  yazl: '^app/http/',
  bullmq: '^app/jobs/redis/',
  ioredis: '^app/jobs/redis/',
  'rate-limiter-flexible': '^app/access/',
  '@aws-sdk': '^app/jobs/storage/',
  'socket.io': '^app/realtime/',
  'prom-client': '^app/metrics/',
  commander: '^app/cli/',
  '@modelcontextprotocol': '^app/cli/(mcp/|commands/mcp-command)',
  tsyringe: '^app/container\\.ts$',
  winston: '^app/logger\\.ts$',
};

const roomRules = Object.entries(ROOMS).map(([library, room]) => ({
  name: `${library}-has-one-room`,
  severity: 'error',
  from: { path: '^app/', pathNot: room },
  to: { path: `^node_modules/(@types/)?${library.replace('.', '\\.')}/`, dependencyTypesNot: ['type-only'] },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...innerRules,
    ...fileRules,
    ...roomRules,
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      // Of types too: two rooms that know each other are one. Inside a room types may (onnx: a graph and its values).
      name: 'no-circle-between-rooms',
      severity: 'error',
      from: { path: '^app/([^/]+)' },
      to: { circular: true, path: '^app/', pathNot: '^app/$1(/|$)' },
    },
    {
      name: 'one-server-loads-nothing-of-several',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/jobs/(redis|storage)/' },
      to: { path: '^app/jobs/(redis|storage)/', dynamic: false },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: ['\\.d\\.ts$'] }, to: {} },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
