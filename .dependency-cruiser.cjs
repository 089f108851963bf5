/** The arrows of docs/architecture.md: imports go downward only, and each foreign library has one room. */
const LAYERS = [
  'cli',
  'http',
  'realtime',
  'access',
  'metrics',
  'webhooks',
  'jobs',
  'worker',
  'evaluation',
  'processing',
  'inference',
  'catalog',
  'outbound',
  'architectures',
  'quantization',
  'onnx',
  'checkpoints',
  'imaging',
  'options',
  'files',
];

/** What a layer may import beside itself and the files at the top (`config.ts`, `errors.ts`, `logger.ts`). */
const MAY_IMPORT = {
  cli: ['worker', 'evaluation', 'processing', 'catalog', 'architectures', 'imaging', 'options', 'files'],
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
  access: ['jobs'],
  metrics: ['jobs', 'processing'],
  webhooks: ['jobs', 'outbound'],
  jobs: ['worker', 'processing', 'options', 'files'],
  worker: ['processing', 'inference', 'files'],
  evaluation: ['imaging'],
  processing: [
    'inference',
    'catalog',
    'architectures',
    'quantization',
    'onnx',
    'checkpoints',
    'imaging',
    'options',
    'files',
  ],
  inference: [],
  catalog: ['architectures', 'outbound', 'files'],
  outbound: [],
  architectures: ['onnx', 'checkpoints', 'imaging'],
  quantization: ['onnx', 'checkpoints'],
  onnx: ['checkpoints'],
  checkpoints: [],
  imaging: [],
  options: [],
  files: [],
};

const layerRules = LAYERS.map((layer) => ({
  name: `${layer}-imports-downward`,
  severity: 'error',
  from: { path: `^app/${layer}/` },
  to: { path: '^app/[^/]+/', pathNot: `^app/(${[layer, ...MAY_IMPORT[layer]].join('|')})/` },
}));

/** A library, and the only places that may import it. */
const ROOMS = {
  sharp: '^app/imaging/codec',
  'onnxruntime-node': '^app/inference/',
  got: '^app/catalog/',
  express: '^app/http/',
  busboy: '^app/http/',
  bullmq: '^app/jobs/redis/',
  ioredis: '^app/jobs/redis/',
  '@aws-sdk': '^app/jobs/storage/',
  'socket.io': '^app/realtime/',
  'prom-client': '^app/metrics/',
  commander: '^app/cli/',
  tsyringe: '^app/(container|worker-container)\\.ts$',
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
    ...roomRules,
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'pure-layers-know-no-composition',
      severity: 'error',
      from: { path: '^app/[^/]+/', pathNot: '^app/(cli|worker)/' },
      to: { path: '^app/(main|container|worker-container)\\.ts$' },
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
