import { z } from 'zod';
import { archiveBody } from '../routes/archives-route.ts';
import type { Operations } from './operation.ts';
import { UNCHANGED } from './operation.ts';
import { answerSchemaOf, BYTES, required, schemaOf, withExample } from './openapi-schema.ts';

const link = z.object({ url: z.string().describe('Relative to the service'), expires_in_seconds: z.int() });

/** Results of several jobs as one ZIP. */
export const ARCHIVE_OPERATIONS: Operations = {
  '/archives': {
    post: {
      summary: 'A link to the results of several jobs as one ZIP; the link itself needs no key',
      tag: 'jobs',
      body: {
        'application/json': withExample(required(schemaOf(archiveBody), 'jobs'), {
          jobs: [{ job_id: '0123456789abcdef0123456789abcdef', folder: 'scans' }],
        }),
      },
      answers: { 201: ['The link, and how long it is valid', { 'application/json': answerSchemaOf(link) }] },
      steps: ['changes something', 'reads parameters', 'reads a body', 'finds a job', 'reads a result'],
    },
  },
  '/archives/{name}': {
    get: {
      summary: 'Download by such a link',
      tag: 'jobs',
      isOpen: true,
      answers: { 200: ['The results', { 'application/zip': BYTES }], 304: UNCHANGED },
      steps: ['finds a name', 'finds a job', 'reads a result'],
    },
  },
};
